import { anyCase, asOwner, type AuditCase, countries, crm, elsewhere, notes } from './audit-case.ts';

export const keys: readonly AuditCase[] = [
  {
    class: 12,
    holes: [
      {
        title: 'a foreign key that takes the tenant from another column',
        plant: `${notes('owner_tenant text, project_id uuid,')}
          alter table pool.notes add foreign key (owner_tenant, project_id) references pool.projects (tenant_id, id) on delete cascade`,
        object: 'notes_owner_tenant_project_id_fkey on pool.notes',
      },
      {
        title: 'a foreign key of a table without tenant_id',
        plant: `${crm} ${asOwner(`create table crm.reviews (of text, project_id uuid,
          foreign key (of, project_id) references pool.projects (tenant_id, id))`)}`,
        object: 'crm.reviews',
        isAdvice: true,
      },
      ...['', 'on delete cascade', 'on delete set null on update cascade'].map((action) => ({
        title: `a foreign key to a table in which application code may delete${action && `, ${action}`}`,
        plant: countries('delete', action),
        object: 'notes_country_fkey on pool.notes',
      })),
      {
        title: 'a foreign key to what everybody may rename',
        plant: `${countries('update (code, label)', 'on update cascade')} grant update on crm.countries to public`,
        object: 'notes_country_fkey on pool.notes',
      },
      {
        title: 'a foreign key to a table that references one in which application code may delete, on delete cascade',
        plant: `${countries('insert')} ${asOwner(`create table crm.continents (id int primary key);
          alter table crm.countries add continent int references crm.continents on delete cascade;
          grant delete on crm.continents to tenantry_app`)}`,
        object: 'notes_country_fkey on pool.notes',
      },
      {
        title: 'a foreign key to a table in which application code may delete through a view',
        plant: `${countries('insert')} ${asOwner(`create view crm.codes as select code from crm.countries;
          create view crm.names with (security_invoker) as select code from crm.codes; grant delete on crm.names to tenantry_app`)}`,
        object: 'notes_country_fkey on pool.notes',
      },
      {
        title: 'a foreign key to a table in which application code may delete through what it inherits from',
        plant: `${countries('insert')} ${asOwner(`create table crm.codes (code text); alter table crm.countries inherit crm.codes;
          grant delete on crm.codes to tenantry_app`)}`,
        object: 'notes_country_fkey on pool.notes',
      },
      {
        title: 'a foreign key to a table of the application role',
        plant: `${countries('insert')} alter table crm.countries owner to tenantry_app`,
        object: 'notes_country_fkey on pool.notes',
      },
    ],
    nearMisses: [
      {
        title: "a foreign key to a table that is nobody's",
        plant: `${crm} ${asOwner('create table crm.countries (code text primary key)')} ${notes('country text,')}
          alter table pool.notes add foreign key (country) references crm.countries`,
      },
      {
        title: 'one to a table to which application code may add, and where it may change what no key depends on',
        plant: countries('insert, update (label), select (code, label)', 'on update cascade on delete cascade'),
      },
      {
        title:
          'one to a table that references one in which application code may delete, where that deletes nothing else',
        plant: `${countries('insert')} ${asOwner(`create table crm.continents (id int primary key);
          alter table crm.countries add continent int references crm.continents on delete set null;
          grant delete on crm.continents to tenantry_app`)}`,
      },
      {
        title: 'one to a table of which application code has a view with rights of its own',
        plant: `${countries('insert')} ${asOwner(`create view crm.codes with (security_invoker) as select code from crm.countries;
          grant delete on crm.codes to tenantry_app`)}`,
      },
      {
        title: 'a foreign key that pairs the tenant at another place',
        plant: `${notes('project_id uuid,')}
          alter table pool.notes add foreign key (project_id, tenant_id) references pool.projects (id, tenant_id)`,
      },
    ],
  },
  {
    class: 13,
    holes: [
      {
        title: 'a unique index without the tenant',
        plant: "create unique index project_names on pool.projects (lower(name)) where tenant_id <> 'acme'",
        object: 'pool.project_names on pool.projects',
        also: [34],
      },
      {
        title: 'a unique index of a partition in another schema',
        plant: `${elsewhere} create unique index bodies on crm.events_1 (body)`,
        object: 'crm.bodies on crm.events_1',
      },
      {
        title: 'a unique constraint without the tenant',
        plant: 'alter table pool.tasks add constraint titles unique (title)',
        object: 'pool.titles on pool.tasks',
      },
      {
        title: 'a unique index that merely carries the tenant',
        plant: 'create unique index titles on pool.tasks (title) include (tenant_id)',
        object: 'pool.titles on pool.tasks',
      },
      {
        title: 'an exclusion constraint without the tenant',
        plant: `${notes('during tsrange,')} alter table pool.notes add constraint no_overlap exclude using gist (during with &&)`,
        object: 'no_overlap on pool.notes',
        isAdvice: true,
      },
    ],
    nearMisses: [
      {
        title: 'a unique index of an expression that leads with the tenant',
        plant: `create unique index on pool.projects (tenant_id, lower(name)); select tenancy.hide_values('pool.projects')`,
      },
      { title: 'a partition in another schema', plant: elsewhere },
    ],
  },
  {
    class: 29,
    holes: [
      {
        title: 'an index without the tenant',
        plant: `create index due on pool.tasks (due_on desc) where tenant_id <> 'acme'`,
        object: 'pool.due on pool.tasks',
      },
      {
        title: 'an index that ends with the tenant',
        plant: 'create index due on pool.tasks (due_on, tenant_id)',
        object: 'pool.due on pool.tasks',
      },
      {
        title: 'an index of another method',
        plant: `create index words on pool.tasks using gin (to_tsvector('simple', title))`,
        object: 'pool.words on pool.tasks',
        also: [34],
        isAdvice: true,
      },
      {
        title: 'an index in which no column comes first',
        plant: `create extension btree_gin;
          create index words on pool.tasks using gin (tenant_id, to_tsvector('simple', title))`,
        object: 'pool.words on pool.tasks',
        also: [34],
        isAdvice: true,
      },
      {
        title: 'an index of ranges of pages',
        plant: 'create index due on pool.tasks using brin (tenant_id, due_on)',
        object: 'pool.due on pool.tasks',
        isAdvice: true,
      },
      {
        title: 'an index that leads with the tenant in another collation',
        plant: `${anyCase} create unique index due on pool.tasks (tenant_id collate any_case, id) where tenant_id <> 'acme'`,
        object: 'pool.due on pool.tasks',
      },
      {
        title: 'an index that leads with the tenant for patterns',
        plant: 'create index due on pool.tasks (tenant_id text_pattern_ops)',
        object: 'pool.due on pool.tasks',
      },
      {
        title: 'an index of a method that no policy searches',
        plant: `create extension btree_gist; create index due on pool.tasks using gist (tenant_id, due_on)`,
        object: 'pool.due on pool.tasks',
        isAdvice: true,
      },
      {
        title: 'an exclusion constraint, though it compares the tenant',
        plant: `create extension btree_gist; ${notes('during tsrange,')}
          alter table pool.notes add constraint due exclude using gist (tenant_id with =, during with &&)`,
        object: 'pool.due on pool.notes',
        isAdvice: true,
      },
    ],
    nearMisses: [
      { title: 'an index that leads with the tenant', plant: 'create index on pool.tasks (tenant_id, due_on)' },
      {
        title: "an index of a table that is nobody's",
        plant: `${crm} ${asOwner('create table crm.countries (code text primary key)')}`,
      },
    ],
  },
];

import { anyCase, asOwner, type AuditCase, crm, notes } from './audit-case.ts';

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
    ],
    nearMisses: [
      {
        title: "a foreign key to a table that is nobody's",
        plant: `${crm} ${asOwner('create table crm.countries (code text primary key)')} ${notes('country text,')}
          alter table pool.notes add foreign key (country) references crm.countries`,
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
        plant: 'create unique index project_names on pool.projects (lower(name)) where not archived',
        object: 'pool.project_names on pool.projects',
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
        plant: 'create unique index on pool.projects (tenant_id, lower(name))',
      },
    ],
  },
  {
    class: 29,
    holes: [
      {
        title: 'an index without the tenant',
        plant: 'create index due on pool.tasks (due_on desc) where due_on is not null',
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
        isAdvice: true,
      },
      {
        title: 'an index in which no column comes first',
        plant: `create extension btree_gin;
          create index words on pool.tasks using gin (tenant_id, to_tsvector('simple', title))`,
        object: 'pool.words on pool.tasks',
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
        plant: `${anyCase} create unique index due on pool.tasks (tenant_id collate any_case, id) where due_on is not null`,
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

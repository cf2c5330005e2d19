import { asOwner, crm, type Hole, type NearMiss } from './audit-case.ts';

/** How rights of an owner are reached by a way that no grant on the object itself shows. */

const pinned = 'security definer set search_path = pg_catalog, pg_temp';

/** A function of the owner that opens homes again, which nobody may call by itself. */
const opens = `create function crm.open() returns trigger language plpgsql ${pinned}
  as 'begin update tenancy.placements set state = ''active''; return coalesce(new, old); end';`;
const opensBefore = (event: string, table: string): string =>
  `${opens} create trigger open before ${event} on ${table} for each row execute function crm.open()`;

/** A function of the owner that passes its arguments on to what operations may call. */
const handsOn = (to: string): string =>
  `${crm} grant usage on schema crm to tenantry_operations;
   ${asOwner(`create function crm.rows(a text, b text, c text) returns setof text language sql ${pinned}
     as $$ select tenancy.read_rows(a, b, c, null, 0) $$; grant execute on function crm.rows to ${to}`)}`;

export const functionDetours: readonly Hole[] = [
  {
    title: 'one that hands on what operations may do',
    plant: handsOn('tenantry_app'),
    object: 'crm.rows(text,text,text)',
    problem: 'tenancy.read_rows',
  },
  {
    title: 'one of the role of operations that hands on what that one may do',
    plant: `${handsOn('tenantry_app')} alter function crm.rows owner to tenantry_operations`,
    object: 'crm.rows(text,text,text)',
  },
  {
    title: 'one that nobody may call, but of which there is an aggregate',
    plant: `${crm} ${asOwner(`create function crm.step(state text, value text) returns text language sql ${pinned}
        as $$ select state || value || (select count(*) from tenancy.placements) $$;
      create aggregate crm.homes(text) (sfunc = crm.step, stype = text, initcond = '');
      grant execute on function crm.homes to tenantry_app`)}`,
    object: 'crm.step(text,text)',
  },
  {
    title: 'one that writes a table whose trigger writes the kernel',
    plant: `${crm} ${asOwner(`create table crm.log (title text);
      create function crm.say(title text) returns void language sql ${pinned} as 'insert into crm.log values (title)';
      grant execute on function crm.say to tenantry_app;
      create function crm.open() returns trigger language plpgsql
        as 'begin update tenancy.placements set state = ''active''; return new; end';
      create trigger open before insert on crm.log for each row execute function crm.open()`)}`,
    object: 'crm.say(text)',
    problem: 'tenancy.placements',
  },
];

export const functionDetourNearMisses: readonly NearMiss[] = [
  { title: 'one that hands on what operations may do to operations', plant: handsOn('tenantry_operations') },
];

export const triggerDetours: readonly Hole[] = [
  {
    title: "a trigger with its owner's rights on a partition of a plain table",
    plant: `${crm} ${asOwner(`create table crm.inbox (title text) partition by list (title);
      create table crm.inbox_1 partition of crm.inbox default; grant insert on crm.inbox to tenantry_app;
      ${opensBefore('insert', 'crm.inbox_1')}`)}`,
    object: 'trigger open on crm.inbox_1',
  },
  {
    title: 'the same on a table that is written through a foreign key',
    plant: `${crm} ${asOwner(`create table crm.people (id int primary key); grant select, delete on crm.people to tenantry_app;
      create table crm.letters (id int references crm.people on delete cascade); ${opensBefore('delete', 'crm.letters')}`)}`,
    object: 'trigger open on crm.letters',
  },
  {
    title: 'the same on a table that is written by a rule',
    plant: `${crm} ${asOwner(`create table crm.inbox (title text); grant insert on crm.inbox to tenantry_app; create table crm.log (title text);
      create rule note as on insert to crm.inbox do also insert into crm.log values (new.title); ${opensBefore('insert', 'crm.log')}`)}`,
    object: 'trigger open on crm.log',
  },
];

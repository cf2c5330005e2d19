/** A class of findings, with ways into it that must be found and harmless neighbours of them that must not. */
export interface AuditCase {
  readonly class: number;
  readonly holes: readonly Hole[];
  readonly nearMisses: readonly NearMiss[];
}

export interface Hole {
  readonly title: string;
  /** Run as superuser, in a transaction that is rolled back. */
  readonly plant: string;
  /** Part of the name that the finding has to give. */
  readonly object: string;
  /** Part of what the finding has to say, where there is more than one thing to be said. */
  readonly problem?: string;
  /** Classes that are bound to come with it. */
  readonly also?: readonly number[];
  /** No statement mends it: the remedy is advice. */
  readonly isAdvice?: boolean;
  /** In place of the audit's own, for what cannot be planted. */
  readonly findings?: string;
}

export interface NearMiss {
  readonly title: string;
  readonly plant: string;
  readonly findings?: string;
}

/** Statements run as the role that migrations run as. */
export const asOwner = (statements: string): string => `set local role tenantry_owner; ${statements}; reset role;`;

/** A protected table `pool.notes`, with more columns if need be. */
export const notes = (columns = ''): string =>
  asOwner(`create table pool.notes (tenant_id text not null, id int, ${columns} primary key (tenant_id, id));
           select tenancy.protect('pool.notes')`);

/** A schema of the owner's in which no tenant lives, and which application code can use. */
export const crm = `create schema crm authorization tenantry_owner; grant usage on schema crm to tenantry_app;`;

/** A table that all tenants share, with privileges of the application role, to which a tenant table has a key. */
export const countries = (privileges: string, action = ''): string =>
  `${crm} ${asOwner(`create table crm.countries (code text primary key, label text);
    create table pool.notes (tenant_id text not null, id int, country text references crm.countries ${action}, primary key (tenant_id, id));
    select tenancy.protect('pool.notes')`)}
   grant ${privileges} on crm.countries to tenantry_app;`;

/** A protected table of which a partition is in another schema. */
export const elsewhere = `${crm} ${asOwner(`
  create table pool.events (tenant_id text, at date, id int, body text, primary key (tenant_id, at, id)) partition by range (at);
  create table crm.events_1 partition of pool.events for values from ('2026-01-01') to ('2027-01-01');
  select tenancy.protect('pool.events')`)}`;

/** A collation to which capital letters are the same as small ones. */
export const anyCase = `create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;

/** The kernel's policy. */
export const policyOf = (schema: string): string =>
  `tenant_id = any (array[(select tenancy.current_tenant('${schema}'))])`;

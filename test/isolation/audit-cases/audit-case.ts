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

/** A collation to which capital letters are the same as small ones. */
export const anyCase = `create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;

/** The kernel's policy. */
export const policyOf = (schema: string): string =>
  `tenant_id = any (array[(select tenancy.current_tenant('${schema}'))])`;

/** Who asks, and for whose rows. */
export const situations = [
  'own', // everything in its own home
  'other', // the rows of another tenant in the same home
  'elsewhere', // everything in a home in which it does not live
  'no tenant', // everything, without a capability
  'suspended',
  'moving', // out of this home: reads go on
  'moved', // out of this home, where its rows still lie
  'expired',
] as const;

export type Situation = (typeof situations)[number];

export const operations = [
  'select',
  'insert',
  'insert under a foreign parent',
  'update',
  'delete',
  'upsert',
  'copy out',
  'copy in',
  'join',
  'sub-select',
  'CTE',
  'writing CTE',
  'raw SQL',
] as const;

export type Operation = (typeof operations)[number];

/** Ways for a statement to get to Postgres. */
export const doors = ['shared/database', 'tenancy.run', 'capability set', 'nothing set'] as const;

export type Door = (typeof doors)[number];

/** What a statement does to the rows of whoever runs it. */
export const effects: Readonly<
  Record<Operation, 'reads' | 'adds one' | 'changes one' | 'changes all' | 'removes all'>
> = {
  select: 'reads',
  insert: 'adds one',
  'insert under a foreign parent': 'adds one',
  update: 'changes all',
  delete: 'removes all',
  upsert: 'changes one',
  'copy out': 'reads',
  'copy in': 'adds one',
  join: 'reads',
  'sub-select': 'reads',
  CTE: 'reads',
  'writing CTE': 'changes all',
  'raw SQL': 'reads',
};

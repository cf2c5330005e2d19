import fc from 'fast-check';
import * as z from 'zod';

/** What a request does. Every row that it writes carries its operation, which is how it is found again. */
export const programSchema = z.strictObject({
  operation: z.string(),
  kind: z.enum(['read', 'insert', 'count', 'batch', 'failing batch', 'transaction', 'parallel', 'floating', 'remove']),
  /** Rows that it writes, all or none of them; of `parallel` one by one. */
  rows: z.number(),
  /** Transactions: whether one counts too, which locks a row that all requests of the tenant want. */
  counts: z.boolean(),
  /** Transactions: before which statement one fails; the one after the last is COMMIT. */
  failsAt: z.number().nullable(),
  failure: z.enum(['throws', 'swallows', 'pauses', 'exits', 'hangs', 'spins', 'rejects']),
  /** Whose rows `remove` deletes. */
  of: z.string().nullable(),
});
export type Program = z.infer<typeof programSchema>;

/** A request that does nothing special, and its own rows under `operation`. */
export const programOf = (operation: string, changes: Partial<Program> = {}): Program => ({
  operation,
  kind: 'transaction',
  rows: 3,
  counts: true,
  failsAt: null,
  failure: 'throws',
  of: null,
  ...changes,
});

export interface Request {
  readonly tenant: number;
  readonly program: Program;
  /** What `remove` picks its operation by. */
  readonly pick: number;
  /** Whether a process of its own serves it, as a function in Lambda. */
  readonly inProcess: boolean;
  readonly isHurried: boolean;
}

const kind = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('read', 'insert', 'count', 'batch', 'transaction') },
  { weight: 1, arbitrary: fc.constantFrom('failing batch', 'parallel', 'floating', 'remove') },
) as fc.Arbitrary<Program['kind']>;

const rare = (times: number) => fc.noBias(fc.nat(times - 1)).map((value) => value === 0);

export function request(tenantCount: number): fc.Arbitrary<Request> {
  const program = fc.record({
    operation: fc.constant(''),
    kind,
    rows: fc.integer({ min: 1, max: 4 }),
    counts: fc.boolean(),
    failsAt: fc.option(fc.nat(6), { freq: 2 }),
    failure: fc.constantFrom<Program['failure']>('throws', 'throws', 'swallows', 'pauses'),
    of: fc.constant(null),
  });
  const base = fc.record({
    tenant: fc.nat(tenantCount - 1),
    program,
    pick: fc.nat(),
    inProcess: rare(30),
    isHurried: rare(40),
  });
  const fatal = fc.constantFrom<Program['failure'] | null>(null, null, null, 'exits', 'hangs', 'spins', 'rejects');
  return fc.tuple(base, fatal).map(([made, failure]) => ({
    ...made,
    // Only a process of its own may be killed.
    program: made.inProcess && failure ? dying(made.program, failure) : made.program,
  }));
}

/** A transaction that the end of its process cuts short. */
const dying = (program: Program, failure: Program['failure']): Program => ({
  ...program,
  kind: 'transaction',
  failsAt: program.failsAt ?? 1,
  failure,
});

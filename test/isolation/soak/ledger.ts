import type { Client } from 'pg';
import type { Program, Request } from './program.ts';

/** How many of its rows an operation may have left: all of them, none, either of the two, or any number. */
type Expected = 'all' | 'none' | 'either' | 'any';

interface Entry {
  readonly tenant: number;
  readonly rows: number;
  readonly expected: Expected;
  removed: 'no' | 'yes' | 'perhaps';
}

/** What came of a request, as far as its caller can tell. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

/** What clients were told, to be held against what the database has. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #acknowledged: string[][];
  readonly #counted: { sure: number; perhaps: number }[];

  constructor(tenantCount: number) {
    this.#acknowledged = Array.from({ length: tenantCount }, () => []);
    this.#counted = Array.from({ length: tenantCount }, () => ({ sure: 0, perhaps: 0 }));
  }

  /** An operation of the tenant that was acknowledged and may be removed; nobody gets it twice. */
  takeRemovable(tenant: number, pick: number): string | undefined {
    const own = this.#acknowledged[tenant] ?? [];
    return own.splice(pick % Math.max(1, own.length), 1)[0];
  }

  record({ tenant, program }: Request, outcome: Outcome): void {
    const { kind, operation, of } = program;
    const expected = expectedOf(program, outcome);
    if (kind === 'remove' && of !== null) this.#remove(of, outcome);
    if (counts(program)) this.#count(tenant, kind === 'transaction' || kind === 'count' ? expected : 'none');
    if (!writes.has(kind)) return;
    this.#entries.set(operation, { tenant, rows: program.rows, expected, removed: 'no' });
    if (expected === 'all') this.#acknowledged[tenant]?.push(operation);
  }

  /** What contradicts the ledger, or belongs to another tenant; nothing when all is well. */
  async contradictions(client: Client, tenantIds: readonly string[]): Promise<readonly string[]> {
    const { rows } = await client.query<Stored>(`
      select description as operation, tenant_id, count(*)::int as rows, max(version) as version,
        bool_and(starts_with(name, tenant_id || ' ')) as is_own
      from pool.projects group by description, tenant_id`);
    const counters = rows.filter(({ operation }) => operation === 'counter');
    const stored = new Map(rows.map((row) => [row.operation, row]));
    const known = new Set([...this.#entries.keys(), 'counter']);
    return [
      ...rows.filter(({ is_own }) => !is_own).map((row) => `${row.operation} wrote to ${row.tenant_id}`),
      ...rows.filter(({ operation }) => !known.has(operation)).map(({ operation }) => `${operation} is unknown`),
      ...[...this.#entries].flatMap(([operation, entry]) =>
        contradiction(operation, entry, stored.get(operation), tenantIds),
      ),
      ...tenantIds.flatMap((id, tenant) => this.#miscounted(id, tenant, counters)),
    ];
  }

  #remove(of: string, outcome: Outcome): void {
    const entry = this.#entries.get(of);
    if (entry && outcome !== 'refused') entry.removed = outcome === 'acknowledged' ? 'yes' : 'perhaps';
  }

  #count(tenant: number, expected: Expected): void {
    const counted = this.#counted[tenant];
    if (counted && expected === 'all') counted.sure += 1;
    if (counted && expected !== 'none' && expected !== 'all') counted.perhaps += 1;
  }

  #miscounted(id: string, tenant: number, counters: readonly Stored[]): string[] {
    const { sure = 0, perhaps = 0 } = this.#counted[tenant] ?? {};
    const count = (counters.find(({ tenant_id }) => tenant_id === id)?.version ?? 0) - 1;
    if (count >= sure && count <= sure + perhaps) return [];
    return [`${id} counted ${count}, and was told of ${sure} to ${sure + perhaps}`];
  }
}

interface Stored {
  readonly operation: string;
  readonly tenant_id: string;
  readonly rows: number;
  readonly version: number;
  readonly is_own: boolean;
}

const writes = new Set<Program['kind']>(['insert', 'batch', 'failing batch', 'transaction', 'parallel', 'floating']);

const counts = ({ kind, counts }: Program): boolean => kind === 'count' || (kind === 'transaction' && counts);

/** A transaction that was thrown away was never committed, whatever its caller was told. */
function expectedOf({ kind, failsAt, failure }: Program, outcome: Outcome): Expected {
  const isThrownAway = kind === 'transaction' && failsAt !== null && !['pauses', 'rejects'].includes(failure);
  if (kind === 'failing batch' || outcome === 'refused' || isThrownAway) return 'none';
  if (kind === 'floating') return 'either';
  if (outcome === 'acknowledged') return 'all';
  return kind === 'parallel' ? 'any' : 'either';
}

function contradiction(
  operation: string,
  { tenant, rows, expected, removed }: Entry,
  stored: Stored | undefined,
  tenantIds: readonly string[],
): string[] {
  const found = stored?.rows ?? 0;
  if (stored && stored.tenant_id !== tenantIds[tenant]) return [`${operation} belongs to ${stored.tenant_id}`];
  const allowed = new Set<number>();
  if (removed !== 'yes' && expected !== 'none') allowed.add(rows);
  if (removed !== 'no' || expected !== 'all') allowed.add(0);
  if (expected === 'any' || allowed.has(found)) return [];
  return [`${operation} left ${found} of ${rows} rows, where ${expected} were expected (removed: ${removed})`];
}

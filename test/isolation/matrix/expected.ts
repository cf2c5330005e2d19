import { type Door, type Operation, operations, type Situation, situations } from './situations.ts';

/**
 * What must come of each operation, in every tenant table of every placement:
 *
 * own        exactly its own rows are shown and changed
 * new home   the same, but changed in the home to which the tenant has moved, since the request followed it there
 * none       nothing is shown or changed
 * any other  nothing is shown or changed, and the statement fails, with
 *            unset TN001, expired TN003, moved TN004 (not at home there), suspended TN005, moving TN006, denied 42501,
 *            orphan 23503 (no such parent), not a query TN010, no copy 0A000 (Postgres
 *            never copies into a table with row-level security), mismatch (refused by the scope plugin, before it is sent)
 * -          not tried: `shared/database` waits for a move (test/integration/database-moves.test.ts)
 *
 * `raw SQL` asks for the other's rows "or true", so that it gets its own.
 */
const tables: Readonly<Record<Exclude<Door, 'nothing set'>, string>> = {
  // Queries of the builder that name a key, never a tenant, but for rows that are inserted; copy and raw SQL as text.
  'shared/database': `
                                  | own         | other       | elsewhere   | no tenant   | suspended   | moving      | moved       | expired
    select                        | own         | none        | own         | unset       | suspended   | own         | own         | expired
    insert                        | own         | mismatch    | own         | unset       | suspended   | -           | new home    | expired
    insert under a foreign parent | -           | orphan      | -           | -           | -           | -           | -           | -
    update                        | own         | none        | own         | unset       | suspended   | -           | new home    | expired
    delete                        | own         | none        | own         | unset       | suspended   | -           | new home    | expired
    upsert                        | own         | mismatch    | own         | unset       | suspended   | -           | new home    | expired
    copy out                      | not a query | not a query | not a query | unset       | not a query | not a query | not a query | not a query
    copy in                       | not a query | not a query | not a query | unset       | not a query | not a query | not a query | not a query
    join                          | own         | none        | own         | unset       | suspended   | own         | own         | expired
    sub-select                    | own         | none        | own         | unset       | suspended   | own         | own         | expired
    CTE                           | own         | none        | own         | unset       | suspended   | own         | own         | expired
    writing CTE                   | own         | none        | own         | unset       | suspended   | -           | new home    | expired
    raw SQL                       | own         | own         | own         | unset       | suspended   | own         | own         | expired
  `,
  // Text, as injected SQL would be, by the login of application functions.
  'tenancy.run': `
                                  | own         | other       | elsewhere   | no tenant   | suspended   | moving      | moved       | expired
    select                        | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    insert                        | own         | denied      | moved       | unset       | suspended   | moving      | moved       | expired
    insert under a foreign parent | -           | orphan      | -           | -           | -           | -           | -           | -
    update                        | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    delete                        | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    upsert                        | own         | denied      | moved       | unset       | suspended   | moving      | moved       | expired
    copy out                      | not a query | not a query | not a query | not a query | not a query | not a query | not a query | not a query
    copy in                       | not a query | not a query | not a query | not a query | not a query | not a query | not a query | not a query
    join                          | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    sub-select                    | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    CTE                           | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    writing CTE                   | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    raw SQL                       | own         | own         | moved       | unset       | suspended   | own         | moved       | expired
  `,
  // The same login past tenancy.run: plain statements after set_config('tenancy.capability', …), so that policies stand alone.
  'capability set': `
                                  | own         | other       | elsewhere   | no tenant   | suspended   | moving      | moved       | expired
    select                        | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    insert                        | own         | denied      | moved       | unset       | suspended   | moving      | moved       | expired
    insert under a foreign parent | -           | orphan      | -           | -           | -           | -           | -           | -
    update                        | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    delete                        | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    upsert                        | own         | denied      | moved       | unset       | suspended   | moving      | moved       | expired
    copy out                      | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    copy in                       | no copy     | no copy     | no copy     | no copy     | no copy     | no copy     | no copy     | no copy
    join                          | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    sub-select                    | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    CTE                           | own         | none        | moved       | unset       | suspended   | own         | moved       | expired
    writing CTE                   | own         | none        | moved       | unset       | suspended   | moving      | moved       | expired
    raw SQL                       | own         | own         | moved       | unset       | suspended   | own         | moved       | expired
  `,
};

/** What must come of an operation, or undefined where it is not tried. */
export function expectedOf(door: Door, operation: Operation, situation: Situation): string | undefined {
  const outcome = cell(door === 'nothing set' ? 'capability set' : door, operation, situation);
  if (outcome === '-') return undefined;
  // On a connection that never had a capability it does not matter who means to ask, and for whose rows.
  return door === 'nothing set' && outcome !== 'no copy' ? 'unset' : outcome;
}

function cell(door: Exclude<Door, 'nothing set'>, operation: Operation, situation: Situation): string {
  const [header, ...lines] = tables[door].trim().split('\n').map(fieldsOf);
  const line = lines.find(([name]) => name === operation);
  const outcome = line?.[1 + (header?.slice(1).indexOf(situation) ?? -2)];
  if (!outcome) throw new Error(`The table of ${door} says nothing of ${operation}, ${situation}.`);
  return outcome;
}

const fieldsOf = (line: string): readonly string[] => line.split('|').map((field) => field.trim());

/** The tables have every operation and situation, and no other. */
export function assertComplete(): void {
  for (const door of Object.keys(tables) as (keyof typeof tables)[])
    for (const operation of operations) for (const situation of situations) cell(door, operation, situation);
}

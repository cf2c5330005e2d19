import { Dice } from './dice.ts';
import { type Grammar, type Lore, quote, someCapability, someRelation, type Source } from './grammar.ts';
import { selection } from './queries.ts';
import type { Reach } from './reach.ts';
import { write } from './writes.ts';

/** `run`: what can get in through `tenancy.run`. `direct`: whatever a session can be asked for. */
export type Way = 'run' | 'direct';

export interface Statement {
  readonly way: Way;
  readonly sql: string;
  /** Relations and functions that it names. */
  readonly uses: ReadonlySet<string>;
}

/** One statement of an attacker. */
export function statementOf(tape: readonly number[], way: Way, reach: Reach, lore: Lore): Statement {
  const uses = new Set<string>();
  let aliases = 0;
  const dice = new Dice(tape);
  const g: Grammar = { dice, reach, lore, used: (name) => uses.add(name), alias: () => `x${(aliases += 1)}` };
  const sql = dice.weighted(
    [45, () => selection(g, [], 2).sql],
    [30, () => write(g, way === 'direct' ? 40 : 4)],
    [15, () => withQueries(g)],
    // Through run() these are refused as they stand; a few make sure of it.
    [way === 'direct' ? 40 : 2, () => utility(g)],
    [2, () => `${selection(g, [], 1).sql}; ${dice.chance(50) ? utility(g) : write(g, 10)}`],
  );
  return { way, sql, uses };
}

/** Common table expressions that read and write, and a query or a write over them. */
function withQueries(g: Grammar): string {
  const { dice } = g;
  const ctes: Source[] = [];
  const parts = dice.list(3, () => {
    const alias = g.alias();
    const isWrite = dice.chance(40);
    const { sql, columns } = isWrite ? { sql: write(g, 20, ctes), columns: [] } : selection(g, [], 1, ctes);
    const how = dice.pick(['', '', 'materialized ', 'not materialized ']);
    const part = `${alias} as ${isWrite ? '' : how}(${sql})`;
    ctes.push({ alias, columns });
    return part;
  });
  const last = dice.chance(80) ? selection(g, [], 1, ctes).sql : write(g, 4, ctes);
  return `with ${dice.chance(10) ? 'recursive ' : ''}${parts.join(', ')} ${last}`;
}

/** Statements that are no queries, as somebody would try them who has got hold of a connection. */
function utility(g: Grammar): string {
  const { dice, lore } = g;
  const query = () => selection(g, [], 1).sql;
  const table = () => someRelation(g).name;
  const schema = () => dice.pick(lore.schemas);
  const role = () => dice.pick(['tenantry_owner', 'tenantry_control', 'postgres', 'none', 'tenantry_authorizer']);
  const body = (sql: string) => `do $attack$ declare r record; begin ${sql} end $attack$`;
  const show = `loop raise notice '%', r; end loop;`;
  return dice.weighted<string>(
    [2, () => `set tenancy.capability = ${quote(someCapability(g))}; ${query()}`],
    [1, () => `set local search_path = ${schema()}; ${query()}`],
    [1, () => `set ${dice.pick(['role', 'session authorization'])} ${role()}; ${query()}`],
    [1, () => `set row_security = off; ${query()}`],
    [1, () => `reset ${dice.pick(['all', 'tenancy.capability', 'role', 'search_path'])}; ${query()}`],
    [1, () => `discard ${dice.pick(['plans', 'sequences', 'temp'])}; ${query()}`],
    [3, () => `copy ${dice.chance(50) ? table() : `(${query()})`} to stdout`],
    [1, () => `copy ${table()} to ${dice.pick(["program 'cat'", "'/tmp/stolen'"])}`],
    [2, () => `explain (analyze, verbose, costs off, timing off) ${dice.chance(60) ? query() : write(g, 10)}`],
    [2, () => `declare c cursor with hold for ${query()}; fetch all from c; close c`],
    [2, () => `prepare p as ${dice.chance(60) ? query() : write(g, 10)}; execute p; deallocate p`],
    [3, () => body(`for r in ${query()} ${show}`)],
    [1, () => body(`for r in execute ${quote(query())} ${show} exception when others then raise notice '%', sqlerrm;`)],
    [1, () => body(`${write(g, 100)};`)],
    [1, () => `savepoint s; ${query()}; rollback to s; ${query()}`],
    [
      1,
      () => `lock table ${table()} in ${dice.pick(['access share', 'row exclusive', 'access exclusive'])} mode nowait`,
    ],
    [1, () => `truncate ${table()}`],
    [
      1,
      () =>
        `alter table ${table()} ${dice.pick(['disable row level security', 'no force row level security', 'disable trigger all', 'owner to tenantry_app'])}`,
    ],
    [
      1,
      () =>
        `create ${dice.pick(['policy open on', 'index on', 'rule r as on select to'])} ${table()} ${dice.pick(['using (true)', '(tenant_id)', 'do instead nothing'])}`,
    ],
    [
      1,
      () =>
        `create ${dice.pick(['view', 'temp view', 'temp table', 'table', 'materialized view'])} ${dice.pick(['', 'pool.'])}mine as ${query()}`,
    ],
    [
      1,
      () =>
        `create or replace function ${schema()}.current_tenant(text) returns text language sql as $f$ select 'victim' $f$`,
    ],
    [
      1,
      () =>
        `grant ${dice.pick(['all', 'select', 'truncate'])} on ${table()} to ${dice.pick(['public', 'tenantry_app'])}`,
    ],
    [1, () => `grant ${role()} to tenantry_app`],
    [1, () => `analyze verbose ${table()}`],
    [1, () => `listen ${schema()}; notify ${schema()}, 'x'`],
    [1, () => `comment on table ${table()} is 'x'`],
    [1, () => `values (1), (2)`],
    [1, () => `table ${table()}`],
  );
}

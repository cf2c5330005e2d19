import { type Grammar, quote, type Scope, someCapability, someRelation, someRoutine } from './grammar.ts';
import { scalarQuery, selection } from './queries.ts';
import type { Routine } from './reach.ts';
import { tenantCondition } from './tenants.ts';

const words = ['', 'a', 'open', 'done', 'mallory', 'victim', '1', '%a%', '{"a": 1}', '{}', 'pool', 'COMPLETED'];
const literals: Readonly<Record<string, readonly string[]>> = {
  integer: ['0', '1', '-1', '7', '2147483647'],
  smallint: ['0', '1'],
  bigint: ['0', '1', '-1', '9223372036854775807'],
  numeric: ['0', '1.5'],
  'double precision': ['0', '0.5'],
  boolean: ['true', 'false'],
  'timestamp with time zone': ['now()', "'-infinity'", "'2026-01-01'"],
  date: ['current_date', "'infinity'", "'2026-01-01'"],
  json: [`'{"a": [1, null]}'`, `'[]'`],
  jsonb: [`'{"a": [1, null]}'`, `'[]'`, `'[{"statement": "select * from projects"}]'`],
  bytea: [`'\\x00'`, `'a'`],
  xml: [`'<a/>'`],
  tid: [`'(0,1)'`, `'(0,2)'`],
};
/** Settings of the kernel, and those by which a session decides who it is and whether policies apply. */
const settings = [
  'tenancy.capability',
  'tenancy.proven',
  'tenancy.capability',
  'search_path',
  'role',
  'session_authorization',
  'row_security',
  'application_name',
  'transaction_read_only',
  'session_replication_role',
  'tenancy.nothing',
];
const settingValues = ['', 'pool', 'registry, tenancy', 'tenantry_owner', 'off', 'on', 'replica', 'victim', 'none'];

/** An expression of a type; at depth 0 a column or a literal. */
export function scalar(g: Grammar, type: string, scope: Scope, depth: number): string {
  const { dice } = g;
  const columns = scope.flatMap((source) =>
    source.columns.filter((column) => column.type === type).map(({ name }) => `${source.alias}.${name}`),
  );
  const leaf = () => (columns.length > 0 && !dice.chance(20) ? dice.pick(columns) : literal(g, type));
  if (depth <= 0) return leaf();
  const inner = (of: string) => scalar(g, of, scope, depth - 1);
  return dice.weighted(
    [10, leaf],
    [14, () => operation(g, type, scope, depth)],
    [3, () => `case when ${inner('boolean')} then ${inner(type)} else ${inner(type)} end`],
    [2, () => `coalesce(${inner(type)}, ${inner(type)})`],
    [4, () => `(${scalarQuery(g, type, scope, depth - 1)})`],
    [1, () => `(${inner(dice.pick(['text', 'text', 'integer', 'uuid', 'jsonb']))})::text::${type}`],
    [5, () => routineCall(g, type, scope, depth)],
  );
}

export function literal({ dice, lore }: Grammar, type: string): string {
  if (dice.chance(4)) return `null::${type}`;
  if (type === 'uuid') return `${quote(dice.pick(lore.rowIds))}::uuid`;
  if (type === 'text') return `${quote(dice.chance(30) ? dice.pick(lore.tenantIds) : dice.pick(words))}::text`;
  const known = literals[type];
  return known ? `${dice.pick(known)}::${type}` : `null::${type}`;
}

/** What each type has of its own. */
function operation(g: Grammar, type: string, scope: Scope, depth: number): string {
  const { dice } = g;
  const inner = (of: string) => scalar(g, of, scope, depth - 1);
  const someType = () => dice.pick(['text', 'uuid', 'integer', 'boolean', 'timestamp with time zone', 'date', 'jsonb']);
  if (type === 'boolean') return condition(g, scope, depth);
  if (type === 'text') {
    return dice.weighted(
      [4, () => `${wholeRow(g, scope)}::text`],
      [3, () => `(${inner('text')} || ${inner('text')})`],
      [3, () => `(${inner(someType())})::text`],
      [2, () => `upper(${inner('text')})`],
      [2, () => `substr(${inner('text')}, ${inner('integer')})`],
      [2, () => `to_jsonb(${wholeRow(g, scope)})::text`],
      [2, () => `set_config(${settingAndValue(g)}, ${dice.pick(['true', 'true', 'false'])})`],
      [1, () => `current_setting(${quote(dice.pick(settings))}, true)`],
      [1, () => `format('%s %L', ${inner('text')}, ${inner(someType())})`],
      [1, () => `query_to_xml(${quote(selection(g, [], 1).sql)}, true, false, '')::text`],
    );
  }
  if (type === 'integer') {
    const operator = dice.pick(['+', '-', '*', '/', '%']);
    return dice.weighted(
      [2, () => `length(${inner('text')})`],
      [1, () => `(${inner('integer')} ${operator} ${inner('integer')})`],
    );
  }
  if (type === 'jsonb') return `to_jsonb(${wholeRow(g, scope)})`;
  return scalar(g, type, scope, depth - 1);
}

function wholeRow({ dice }: Grammar, scope: Scope): string {
  return scope.length > 0 ? dice.pick(scope).alias : "'nothing'::text";
}

export function condition(g: Grammar, scope: Scope, depth: number): string {
  const { dice } = g;
  const type = dice.pick(['text', 'text', 'uuid', 'integer', 'timestamp with time zone', 'date']);
  const inner = (of: string) => scalar(g, of, scope, Math.max(0, depth - 1));
  if (depth <= 0) return dice.weighted([3, () => 'true'], [2, () => `${inner(type)} is not null`]);
  return dice.weighted(
    [4, () => `${inner(type)} ${dice.pick(['=', '<>', '<', '>=', 'is distinct from'])} ${inner(type)}`],
    [3, () => `${inner(type)} is ${dice.pick(['', 'not '])}null`],
    [2, () => `${inner('text')} like ${inner('text')}`],
    [2, () => `(${condition(g, scope, depth - 1)} ${dice.pick(['and', 'or'])} ${condition(g, scope, depth - 1)})`],
    [2, () => `not ${condition(g, scope, depth - 1)}`],
    [3, () => `exists (${selection(g, scope, depth - 1).sql})`],
    [2, () => `${inner(type)} in (${scalarQuery(g, type, scope, depth - 1)})`],
    [1, () => `set_config(${settingAndValue(g)}, true) is not null`],
    [4, () => tenantCondition(g, scope)],
  );
}

function settingAndValue(g: Grammar): string {
  const setting = g.dice.pick(settings);
  const value = setting === 'tenancy.capability' ? someCapability(g) : g.dice.pick(settingValues);
  return `${quote(setting)}, ${quote(value)}`;
}

function routineCall(g: Grammar, type: string, scope: Scope, depth: number): string {
  const routine = someRoutine(g, ({ returns, returnsSet }) => !returnsSet && (returns === type || type === 'text'));
  if (!routine) return literal(g, type);
  const call = `${routine.name}(${argumentsOf(g, routine, scope, depth - 1)})`;
  return routine.returns === type ? call : `${call}::text`;
}

/** Arguments as an attacker would choose them: names, queries and capabilities where a text is asked for. */
export function argumentsOf(g: Grammar, { name, arguments: types }: Routine, scope: Scope, depth: number): string {
  if (name === 'pg_catalog.pg_sleep') return '0';
  if (name === 'pg_catalog.set_config') return `${settingAndValue(g)}, true`;
  if (name === 'pg_catalog.generate_series' && types[0] !== 'integer')
    return types.map((type) => `null::${type}`).join();
  if (/^tenancy\.(run|run_batch|enter)$/.test(name)) {
    const first = `${quote(someCapability(g))}, ${quote(g.dice.pick(g.lore.schemas))}`;
    const query = selection(g, [], 1).sql.replaceAll('%', '%%');
    // As if the tenant were proven already, so that nothing but policies asks for a proof.
    const forged = `with x as materialized (select set_config('tenancy.proven', 'pool', true)) select * from x, (${query}) as y`;
    const inner = g.dice.chance(30) ? forged : query;
    if (name === 'tenancy.enter') return `${first}, ${g.dice.pick(['true', 'false'])}, 'select 1', '[]'`;
    if (name === 'tenancy.run') return `${first}, ${quote(inner)}`;
    return `${first}, ${quote(JSON.stringify([{ statement: inner }, { statement: 'select * from projects' }]))}`;
  }
  return types.map((type) => argument(g, type, scope, depth)).join(', ');
}

function argument(g: Grammar, type: string, scope: Scope, depth: number): string {
  const { dice, lore } = g;
  if (type === 'text' && dice.chance(70)) {
    return dice.weighted(
      [2, () => quote(dice.pick(settings))],
      [2, () => quote(selection(g, [], 0).sql)],
      [2, () => quote(someRelation(g).name)],
      [2, () => quote(someCapability(g))],
      [2, () => quote(dice.pick(lore.schemas))],
      [1, () => quote(dice.pick(['PG_VERSION', '.', 'postgresql.conf', 'base', 'pg_hba.conf']))],
    );
  }
  if (type === 'regclass') return `${quote(someRelation(g).name)}::regclass`;
  if (type === 'oid') return `${quote(someRelation(g).name)}::regclass::oid`;
  if (type === 'name') return quote(dice.pick(lore.schemas));
  if (/^any/.test(type)) return scalar(g, dice.pick(['text', 'uuid', 'integer']), scope, depth);
  return scalar(g, type, scope, depth);
}

/** A `:name` of a statement: where it stands, colon included, and the name. */
export interface NamedParameter {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** A statement with `$1`, `$2`, … and the names that stand for them. */
export interface PositionalStatement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Lexical elements of Postgres. Sticky: they match at `lastIndex` only. */
const whitespace = /\s+/y;
const lineComment = /--[^\n\r]*/y;
const identifier = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const quotedIdentifier = /"(?:[^"]|"")*"?/y;
const number = /\d[\w.]*/y;
const positional = /\$\d+/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const plainString = /'(?:[^']|'')*'?/y;
const escapeString = /'(?:[^'\\]|''|\\[^])*'?/y;
/** Two string literals with a line break between them are one literal, in the first one's syntax. */
const continuation = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*(?=')/y;
const castOrAssignment = /::|:=/y;
const parameter = /:(\w+)/y;
/** Words that look like names but cannot end an expression. */
const operators = /^(?:and|any|all|between|case|else|ilike|in|is|like|not|or|then|when)$/i;

/**
 * Rewrites the Data API's `:name` parameters to Postgres's own, a name that occurs twice to the same one.
 *
 * AWS knows literals, quoted identifiers, comments, casts and `:=`, but reads `:name` as a parameter also in dollar-quoted
 * strings, whose text it changes so, and in array slices such as `a[1:2]`. Such statements are refused here.
 *
 * @param refuse makes the error to throw for a `:name` that AWS would read in another way than Postgres's rules say
 */
export function toPositional(sql: string, refuse: (misread: NamedParameter) => Error): PositionalStatement {
  const found = findParameters(sql);
  const misread = difference(found, findParametersAsAws(sql));
  if (misread) throw refuse(misread);
  const numbers = new Map<string, number>();
  let text = '';
  let copied = 0;
  for (const { start, end, name } of found) {
    const number = numbers.get(name) ?? numbers.size + 1;
    numbers.set(name, number);
    text += `${sql.slice(copied, start)}$${number}`;
    copied = end;
  }
  return { text: text + sql.slice(copied), names: [...numbers.keys()] };
}

/** The first parameter that only one of the two has. Both are in the order of the statement. */
function difference(some: readonly NamedParameter[], others: readonly NamedParameter[]): NamedParameter | undefined {
  const at = some.findIndex((parameter, index) => parameter.start !== others[index]?.start);
  const first = at < 0 ? others.slice(some.length) : [some[at], others[at]];
  return first.filter((parameter) => parameter !== undefined).sort((a, b) => a.start - b.start)[0];
}

/** Parameters by Postgres's lexical rules. In a subscript, unlike in `array[…]`, a colon after an operand is a slice. */
export function findParameters(sql: string): NamedParameter[] {
  const found: NamedParameter[] = [];
  const subscripts: boolean[] = [];
  let last = '';
  let afterOperand = false;
  for (let at = 0; at < sql.length;) {
    const name = parameterAt(sql, at);
    if (name !== undefined) {
      const end = parameter.lastIndex;
      if (!subscripts.at(-1) || !afterOperand) found.push({ start: at, end, name });
      afterOperand = true;
      at = end;
      continue;
    }
    const { end, kind } = nextElement(sql, at, true);
    const element = sql.slice(at, end);
    if (element === '[') subscripts.push(afterOperand && !/^array$/i.test(last));
    if (element === ']') subscripts.pop();
    if (kind !== 'space') {
      afterOperand = (kind === 'operand' && !operators.test(element)) || element === ')' || element === ']';
      last = element;
    }
    at = end;
  }
  return found;
}

/** Parameters as AWS finds them, which knows neither dollar quotes nor slices (seen on Aurora PostgreSQL 17). */
function findParametersAsAws(sql: string): NamedParameter[] {
  const found: NamedParameter[] = [];
  for (let at = 0; at < sql.length;) {
    const name = parameterAt(sql, at);
    const end = name === undefined ? nextElement(sql, at, false).end : parameter.lastIndex;
    if (name !== undefined) found.push({ start: at, end, name });
    at = end;
  }
  return found;
}

function parameterAt(sql: string, at: number): string | undefined {
  return match(parameter, sql, at) ? sql.slice(at + 1, parameter.lastIndex) : undefined;
}

interface Element {
  readonly end: number;
  readonly kind: 'space' | 'operand' | 'other';
}

function nextElement(sql: string, at: number, dollarQuotes: boolean): Element {
  if (match(whitespace, sql, at)) return { end: whitespace.lastIndex, kind: 'space' };
  if (match(lineComment, sql, at)) return { end: lineComment.lastIndex, kind: 'space' };
  if (sql.startsWith('/*', at)) return { end: endOfBlockComment(sql, at), kind: 'space' };
  if (sql[at] === "'") return { end: endOfString(sql, at, plainString), kind: 'operand' };
  if (/[eE]/.test(sql[at] ?? '') && sql[at + 1] === "'") {
    return { end: endOfString(sql, at + 1, escapeString), kind: 'operand' };
  }
  if (match(dollarTag, sql, at)) {
    const end = dollarQuotes ? endOfDollarString(sql, at, dollarTag.lastIndex) : dollarTag.lastIndex;
    return { end, kind: 'operand' };
  }
  for (const element of [identifier, quotedIdentifier, number, positional]) {
    if (match(element, sql, at)) return { end: element.lastIndex, kind: 'operand' };
  }
  if (match(castOrAssignment, sql, at)) return { end: castOrAssignment.lastIndex, kind: 'other' };
  return { end: at + 1, kind: 'other' };
}

function match(pattern: RegExp, sql: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(sql);
}

function endOfString(sql: string, at: number, literal: RegExp): number {
  for (let start = at; ; start = continuation.lastIndex) {
    match(literal, sql, start);
    const end = literal.lastIndex;
    if (!match(continuation, sql, end)) return end;
  }
}

function endOfDollarString(sql: string, start: number, bodyStart: number): number {
  const tag = sql.slice(start, bodyStart);
  const close = sql.indexOf(tag, bodyStart);
  return close < 0 ? sql.length : close + tag.length;
}

/** Block comments nest in Postgres. */
function endOfBlockComment(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length;) {
    if (sql.startsWith('/*', at)) depth += 1;
    else if (sql.startsWith('*/', at)) depth -= 1;
    else {
      at += 1;
      continue;
    }
    at += 2;
    if (depth === 0) return at;
  }
  return sql.length;
}

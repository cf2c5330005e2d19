/** A statement with `$1`, `$2`, … and the names that stand for them. */
export interface PositionalStatement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Lexical elements in which a colon means nothing. Sticky: they match at `lastIndex` only. */
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

/**
 * Rewrites the Data API's `:name` parameters to Postgres's own, leaving alone what only looks like one: literals,
 * quoted identifiers, comments, casts, `:=` and array slices.
 *
 * In a subscript, `a[1:n]` can be read both ways: it is a slice unless a parameter `n` was given.
 *
 * @param given names of the parameters that came with the statement
 * @param missing makes the error to throw for a name that was not given
 */
export function toPositional(
  sql: string,
  given: ReadonlySet<string>,
  missing: (name: string) => Error,
): PositionalStatement {
  const numbers = new Map<string, number>();
  let text = '';
  let depth = 0;
  /** Whether what stands before can end an expression, so that a colon in a subscript is a slice. */
  let operand = false;
  for (let at = 0; at < sql.length;) {
    const name = match(parameter, sql, at) ? sql.slice(at + 1, parameter.lastIndex) : undefined;
    if (name !== undefined) {
      const slice = depth > 0 && (given.has(name) ? operand && /^\d+$/.test(name) : true);
      if (!slice && !given.has(name)) throw missing(name);
      text += slice ? sql.slice(at, parameter.lastIndex) : `$${numberOf(name, numbers)}`;
      at = parameter.lastIndex;
      operand = true;
      continue;
    }
    const { end, kind } = nextElement(sql, at);
    const element = sql.slice(at, end);
    if (element === '[') depth += 1;
    if (element === ']') depth -= 1;
    if (kind !== 'space') operand = kind === 'operand' || element === ')' || element === ']';
    text += element;
    at = end;
  }
  return { text, names: [...numbers.keys()] };
}

/** Position of a name, from 1; a name that occurs twice is one parameter. */
function numberOf(name: string, numbers: Map<string, number>): number {
  const known = numbers.get(name) ?? numbers.size + 1;
  numbers.set(name, known);
  return known;
}

interface Element {
  readonly end: number;
  readonly kind: 'space' | 'operand' | 'other';
}

function nextElement(sql: string, at: number): Element {
  if (match(whitespace, sql, at)) return { end: whitespace.lastIndex, kind: 'space' };
  if (match(lineComment, sql, at)) return { end: lineComment.lastIndex, kind: 'space' };
  if (sql.startsWith('/*', at)) return { end: endOfBlockComment(sql, at), kind: 'space' };
  if (sql[at] === "'") return { end: endOfString(sql, at, plainString), kind: 'operand' };
  if (/[eE]/.test(sql[at] ?? '') && sql[at + 1] === "'") {
    return { end: endOfString(sql, at + 1, escapeString), kind: 'operand' };
  }
  if (match(dollarTag, sql, at)) return { end: endOfDollarString(sql, at, dollarTag.lastIndex), kind: 'operand' };
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

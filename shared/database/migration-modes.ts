/** How a migration runs: with others in one transaction, by itself outside of any, or as each tenant in batches. */
export type MigrationMode = 'transaction' | 'alone' | 'each-tenant';

/** A file that says of itself what it is not. */
export class MigrationFileError extends Error {
  override readonly name = 'MigrationFileError';
}

/** What a file says of itself, in a line `-- tenantry: …`. */
const markers: Readonly<Record<string, MigrationMode>> = {
  'no transaction': 'alone',
  'as each tenant': 'each-tenant',
};

/** A statement that Postgres runs in no transaction: an index that is built, or dropped, while its table is used. */
export interface AloneStatement {
  readonly index: string;
  /** What has become of the index when the statement is done. */
  readonly outcome: 'valid' | 'missing';
  /** The statement for one schema: nothing else could say so, since settings do not outlive a call. */
  readonly inSchema: (schema: string) => string;
  /** What it makes an index of, and how; missing where it drops one. */
  readonly makes?: { readonly table: string; readonly onProbe: string };
}

/** A table on which the kernel makes an index to see what its definition is. */
const probe = 'tenantry_probe';

const name = '("(?:[^"]|"")+"|[a-z_][\\w$]*)';
const createIndex = new RegExp(
  `^(create\\s+(?:unique\\s+)?index\\s+concurrently\\s+if\\s+not\\s+exists\\s+${name}\\s+on\\s+(?:only\\s+)?)${name}(\\s*(?:using|\\().*)$`,
  'is',
);
const dropIndex = new RegExp(`^(drop\\s+index\\s+concurrently\\s+if\\s+exists\\s+)${name}$`, 'is');

/**
 * How a migration runs, from its text.
 *
 * @throws MigrationFileError when it has a marker that there is not, or one that does not fit what it does
 */
export function migrationMode(version: string, sql: string): MigrationMode {
  const [marker] = markersOf(sql).filter((text) => !replacement.test(text));
  if (marker === undefined) return 'transaction';
  const mode = markers[marker];
  if (!mode) {
    const known = Object.keys(markers).map((text) => `"-- tenantry: ${text}"`);
    throw new MigrationFileError(
      `Migration ${version} says "-- tenantry: ${marker}", which means nothing. There is ${known.join(', ')}.`,
    );
  }
  if (mode === 'alone') parseAlone(version, sql);
  const writes = /^(with|insert|update|delete|merge)\b/i;
  if (mode === 'each-tenant' && (!writes.test(statementOf(sql)) || withoutText(statementOf(sql)).includes(';'))) {
    throw new MigrationFileError(
      `Migration ${version} runs as each tenant: it is one statement that writes rows, in batches, until there are none.`,
    );
  }
  return mode;
}

/**
 * Checksums, or how they begin, of earlier editions that a migration replaces: where one of those was applied, the migration is done. For
 * a file that had to be mended because it failed somewhere.
 */
export function replacedEditions(sql: string): readonly string[] {
  return markersOf(sql).flatMap((text) => replacement.exec(text)?.[1] ?? []);
}

const replacement = /^replaces ([0-9a-f]{12,64})$/;

function markersOf(sql: string): string[] {
  return [...sql.matchAll(/^--\s*tenantry:\s*(.*?)\s*$/gm)].map(([, text = '']) => text);
}

/** @throws MigrationFileError when it is no statement whose outcome can be looked up, so that it can be resumed */
export function parseAlone(version: string, sql: string): AloneStatement {
  const text = statementOf(sql);
  const statement = text.includes(';') ? '' : text;
  const [, create, created, table, rest] = createIndex.exec(statement) ?? [];
  if (create !== undefined && created !== undefined && table !== undefined && rest !== undefined) {
    return {
      index: unquoted(created),
      outcome: 'valid',
      inSchema: (schema) => `${create}${quoted(schema)}.${table}${rest}`,
      makes: {
        table: unquoted(table),
        onProbe: `create${/^create\s+unique\b/i.test(create) ? ' unique' : ''} index on ${probe}${rest}`,
      },
    };
  }
  const [, drop, dropped] = dropIndex.exec(statement) ?? [];
  if (drop !== undefined && dropped !== undefined) {
    return {
      index: unquoted(dropped),
      outcome: 'missing',
      inSchema: (schema) => `${drop}${quoted(schema)}.${dropped}`,
    };
  }
  throw new MigrationFileError(
    `Migration ${version} runs in no transaction: it is one "create index concurrently if not exists <name> on <table> (…)" or one ` +
      `"drop index concurrently if exists <name>", without a schema.`,
  );
}

/** Removes what an index build that ended early has left, while the table is used. */
export function dropInvalidIndex(schema: string, index: string): string {
  return `drop index concurrently if exists ${quoted(schema)}.${quoted(index)}`;
}

/** Without comments around it, and the semicolon behind it. */
function statementOf(sql: string): string {
  const lines = sql.split('\n').filter((line) => !/^\s*--/.test(line));
  return lines.join('\n').trim().replace(/;$/, '').trim();
}

/** What a `;` may stand in without ending a statement: comments, strings with escapes, strings, names, dollar-quoted strings. */
const text =
  /--.*|\/\*[^]*?\*\/|(?<![\w$])e'(?:[^'\\]|''|\\[^])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$])(\$(?:[a-z_]\w*)?\$)[^]*?\1/gi;

const withoutText = (statement: string): string => statement.replace(text, ' ');

const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** What Postgres calls it. */
function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier.toLowerCase();
}

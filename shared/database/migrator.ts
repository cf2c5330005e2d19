import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatabaseRole, databaseRoles } from '../contract/index.ts';
import { MigrationFileError, type MigrationMode, migrationMode, replacedEditions } from './migration-modes.ts';

/**
 * Runs one statement with `:name` parameters as a certain role in a certain database, and returns the first column of its rows.
 * The only door to statements that act for no tenant: for the migration runner, never for application code.
 */
export type Execute = (sql: string, parameters?: Readonly<Record<string, string>>) => Promise<readonly unknown[]>;

export interface Migration {
  /** File name without its ending, by which migrations are ordered. */
  readonly version: string;
  readonly checksum: string;
  readonly sql: string;
  /** How it runs. @default transaction */
  readonly mode?: MigrationMode;
  /** How the checksums of editions begin that it replaces. @default none */
  readonly replaces?: readonly string[];
}

/**
 * Files of `migrations/<kind>/`, in the order in which they are applied.
 *
 * @throws MigrationFileError when one is no text, or says of itself what it is not
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isMigration = /^[^.].*\.sql$/;
  const files = entries.filter((entry) => isMigration.test(entry.name) && !entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    files.sort().map(async (file) => {
      const version = file.slice(0, -'.sql'.length);
      const sql = textOf(version, await readFile(join(folder, file)));
      const checksum = createHash('sha256').update(sql).digest('hex');
      return { version, checksum, sql, mode: migrationMode(version, sql), replaces: replacedEditions(sql) };
    }),
  );
}

/** The same text on every system: an editor's mark at its begin, and how lines end there, are no part of it. */
function textOf(version: string, bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new MigrationFileError(`Migration ${version} is no text in UTF-8. Save it as such.`);
  }
  if (text.includes('\0'))
    throw new MigrationFileError(`Migration ${version} has a NUL character, which Postgres takes in no text.`);
  return text.replaceAll('\r\n', '\n');
}

export interface Migrations {
  readonly kernel: readonly Migration[];
  readonly control: readonly Migration[];
  readonly tenant: readonly Migration[];
}

/** @param folder the `migrations` folder */
export async function readAllMigrations(folder: string): Promise<Migrations> {
  const [kernel, control, tenant] = await Promise.all(
    ['kernel', 'control', 'tenant'].map((kind) => readMigrations(join(folder, kind))),
  );
  return { kernel: kernel ?? [], control: control ?? [], tenant: tenant ?? [] };
}

/**
 * Brings one target of a database up to date in one call: all missing migrations are applied, or none.
 *
 * @param target `kernel`, `control`, or the name of a placement schema
 * @returns the versions that were applied
 * @throws when a migration fails (nothing is changed then) or an applied one was edited since (TN009)
 */
export async function applyMigrations(
  execute: Execute,
  target: string,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const [ledger, ...rest] = target === 'kernel' ? migrations : [undefined, ...migrations];
  if (ledger) await execute(asOneStatement(ledger.sql));
  const applied = await execute('select tenancy.migrate(:target, cast(:migrations as jsonb))', {
    target,
    migrations: JSON.stringify(rest),
  });
  return applied.map(String);
}

/** The Data API takes one statement a call; a DO block holds as many as one likes. */
function asOneStatement(sql: string): string {
  const tag = `$do_${createHash('sha256').update(sql).digest('hex').slice(0, 12)}$`;
  const inner = tag.replace('do_', 'sql_');
  return `do ${tag} begin execute ${inner}${sql}${inner}; end ${tag}`;
}

/**
 * Migrations for a database in which application code logs in as `role`. Files say `tenantry_app`, unquoted, wherever they grant something
 * to application code; a database that is one tenant's alone has that tenant's role there instead, so that the shared one has no right in
 * it at all. Checksums stay those of the files.
 */
export function forRole(migrations: readonly Migration[], role: string): readonly Migration[] {
  return migrations.map((migration) => ({ ...migration, sql: migration.sql.replace(/\btenantry_app\b/g, role) }));
}

/**
 * Makes the login roles, or gives them their present passwords, and opens the shared database to them. Runs as the cluster's master user,
 * who needs CREATEROLE and to own the database.
 */
export async function createRoles(
  execute: Execute,
  database: string,
  passwords: Readonly<Record<DatabaseRole, string>>,
): Promise<void> {
  for (const [key, role] of Object.entries(databaseRoles)) {
    const statementTimeout = role === databaseRoles.owner ? '15min' : undefined;
    await createRole(execute, role, passwords[key as DatabaseRole], statementTimeout);
  }
  await openDatabase(execute, database, Object.values(databaseRoles));
}

/**
 * Makes a login role, or gives it its present password. Two may do so at once: of those who alter the same entry of the catalog, Postgres
 * refuses the second ("tuple concurrently updated"), unless that one waits for a lock, as each comment takes it. Postgres gets a SCRAM verifier, so no password stands in a statement that somebody
 * may log.
 *
 * @param role a constant, or made of nothing but letters, digits and `_`
 * @param statementTimeout @default 28s, as long as a function waits
 */
export async function createRole(
  execute: Execute,
  role: string,
  password: string,
  statementTimeout = '28s',
): Promise<void> {
  // A verifier has no quote either: DO takes no parameters.
  await execute(
    `do $$ begin
      if not exists (select from pg_roles where rolname = '${role}') then
        -- There is no role yet to be locked; its makers are in the database that tenants share.
        execute format('comment on database %I is %L', current_database(), 'A database of Tenantry.');
        if not exists (select from pg_roles where rolname = '${role}') then create role ${role} login; end if;
      end if;
      -- Locks the role, in all databases of the server, until the end of the transaction.
      comment on role ${role} is 'A login of Tenantry.';
      alter role ${role} password '${scramVerifier(password)}';
      alter role ${role} set timezone = 'UTC';
      alter role ${role} set statement_timeout = '${statementTimeout}';
    end $$`,
  );
}

/**
 * Lets these roles, and no other one of the product's, connect to a database, and the owner of the kernel make schemas there. Runs in that
 * database as the user that owns it.
 */
export async function openDatabase(execute: Execute, database: string, roles: readonly string[]): Promise<void> {
  const name = `"${database.replaceAll('"', '""')}"`;
  const others = Object.values(databaseRoles).filter((role) => !roles.includes(role));
  await execute(
    `do $$ begin
      -- Locks the database for others who do the same, as in createRole.
      comment on database ${name} is 'A database of Tenantry.';
      revoke all on database ${name} from ${['public', ...others].join(', ')};
      revoke all on schema public from public;
      grant connect on database ${name} to ${roles.join(', ')};
      grant create on database ${name} to ${databaseRoles.owner};
    end $$`,
  );
}

/** What Postgres keeps instead of a password (RFC 5803), 4096 rounds as Postgres itself makes it. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

import { fileURLToPath } from 'node:url';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { audit } from '../../shared/database/audit.ts';
import { describeReport, EditedMigrationError } from '../../shared/database/fleet-error.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { withSharedCanaries } from '../../shared/database/fleet-plan.ts';
import type { FleetProgress } from '../../shared/database/fleet-run.ts';
import { readLastFleetRun, type RecordedFleetRun } from '../../shared/database/fleet-runs.ts';
import { readPlacements, readPlan } from '../../shared/database/fleet-state.ts';
import { MigrationFileError } from '../../shared/database/migration-modes.ts';
import { type Migration, readMigrations } from '../../shared/database/migrator.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { inParallel } from '../in-parallel.ts';
import { databasesAtOnce, databasesOf, defaultDataDir, holdsRegistry, type StackDatabase } from '../stack.ts';
import { formatFindings, type LocatedFinding } from '../terminal/format-findings.ts';
import { formatFleetRun } from '../terminal/format-fleet-run.ts';
import { formatPlan, formatProgress, formatStatus, type Located } from '../terminal/format-fleet.ts';
import { print } from '../terminal/print.ts';
import { printable, printableLines } from '../terminal/printable.ts';

const canaries = 3;
const migrationsFolder = fileURLToPath(new URL('../../migrations/tenant', import.meta.url));

/** A database of the stack, and which of its placements are meant; null for all. */
interface Subject extends StackDatabase {
  readonly only: readonly string[] | null;
}

/** `tenant migrate` */
export const migrateCommand = defineCommand({
  summary: 'bring placements to the newest version, or say which they have',
  description: `Brings the placements of the local stack to the newest of migrations/tenant, a few first and then the others. What fails is left as
it was, and runs again with the next call: docs/migrations.md. Ends with an audit of these databases, as a deployment does. Exits with 0 when
all is done, 1 when something failed, is left, or cannot be reached, or the audit found an error, 2 when it could not begin.`,
  options: {
    plan: { help: 'say what would run where, and change nothing' },
    status: { help: 'say which version placements have, what has failed, and how far the last run is' },
    tenant: { value: 'TENANT', help: 'the placement of this tenant alone' },
    json: { help: 'the answer as JSON, which is also what it is when the output is no terminal' },
    data: { value: 'DIR', help: `folder of the stack's data (default ${defaultDataDir})` },
  },
  failureCode: 2,
  async run({ options: { plan, status, tenant, json, data = defaultDataDir } }) {
    if (plan && status) throw new UsageError('Ask for --plan or for --status, not for both.');
    const files = await readMigrations(migrationsFolder).catch(asCommandError);
    const subjects = await subjectsOf(await databasesOf(data), tenant);
    if (plan) return showPlans(subjects, files, json);
    if (status) return showStatus(subjects, json);
    return migrate(subjects, files, json);
  },
});

async function subjectsOf(
  databases: readonly StackDatabase[],
  tenant: string | undefined,
): Promise<readonly Subject[]> {
  if (tenant === undefined) return databases.map((database) => ({ ...database, only: null }));
  const subjects: Subject[] = [];
  // Nobody else is at home in a database that is one tenant's alone.
  const possible = databases.filter(({ role, database }) => role !== database || database === tenantHomeName(tenant));
  for (const database of possible) {
    const only = await database.execute(
      `select cast(schema as text) from tenancy.placements where tenant_id = :tenant and state <> 'moved'`,
      { tenant },
    );
    if (only.length > 0) subjects.push({ ...database, only: only.map(String) });
  }
  if (subjects.length === 0)
    throw new CommandError(`The tenant ${printable(tenant)} is at home in no database of the stack.`);
  return subjects;
}

async function showPlans(subjects: readonly Subject[], files: readonly Migration[], asJson: boolean): Promise<number> {
  const found = await lookAt(subjects, async ({ execute, only }) => ({
    plan: await readPlan(execute, files, only, canaries),
  }));
  const plans = withSharedCanaries(found, canaries);
  print(plans, asJson, (all, { paint }) => all.map((plan) => formatPlan(plan, paint)).join('\n'));
  return plans.some((located) => 'error' in located || located.plan.edited.length > 0) ? 1 : 0;
}

async function showStatus(subjects: readonly Subject[], asJson: boolean): Promise<number> {
  const all = await lookAt(subjects, async (subject) => ({
    ...(await lastRunOf(subject)),
    placements: await readPlacements(subject.execute, subject.only),
  }));
  print(all, asJson, (found, { paint }) =>
    [
      ...found.flatMap((each) => ('lastRun' in each ? [formatFleetRun(each.lastRun, paint)] : [])),
      ...found.map((status) => formatStatus(status, paint)),
    ].join('\n'),
  );
  return all.some((located) => 'error' in located || located.placements.some(({ failed }) => failed !== null)) ? 1 : 0;
}

/** Told once for the whole fleet, where the registry is. */
async function lastRunOf(subject: Subject): Promise<{ readonly lastRun?: RecordedFleetRun }> {
  const lastRun = holdsRegistry(subject) && subject.only === null ? await readLastFleetRun(subject.execute) : undefined;
  return lastRun === undefined ? {} : { lastRun };
}

/** What is found in each database, or why one cannot be looked at. One that is gone by now is left out. */
async function lookAt<Found>(
  subjects: readonly Subject[],
  look: (subject: Subject) => Promise<Found>,
): Promise<readonly Located<Found>[]> {
  const all = await inParallel(databasesAtOnce, subjects, async (subject): Promise<readonly Located<Found>[]> => {
    const { cluster, database } = subject;
    try {
      return [{ cluster, database, ...(await look(subject)) }];
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return (await subject.isThere()) ? [{ cluster, database, error: error.message }] : [];
    }
  });
  return all.flat();
}

async function migrate(subjects: readonly Subject[], files: readonly Migration[], asJson: boolean): Promise<number> {
  const databases = subjects.map(({ cluster, database, role, execute, isThere }) => ({
    name: `${database} on ${cluster}`,
    role,
    execute,
    isThere,
  }));
  const only = subjects.flatMap((subject) => subject.only ?? []);
  try {
    const report = await migrateFleet(databases, files, {
      ...(only.length > 0 ? { only } : {}),
      canaries,
      onProgress: showProgress,
    });
    showProgress();
    const findings = await auditAll(subjects);
    print({ ...report, findings }, asJson, (result, { paint }) =>
      [printableLines(describeReport(result)), ...(findings.length > 0 ? [formatFindings(findings, paint)] : [])].join(
        '\n',
      ),
    );
    return report.failed > 0 || report.stopped || findings.some(({ severity }) => severity === 'error') ? 1 : 0;
  } catch (error) {
    showProgress();
    return asCommandError(error);
  }
}

/** What the audit finds in each database. One that cannot be reached is among the failures of the run. */
async function auditAll(subjects: readonly Subject[]): Promise<readonly LocatedFinding[]> {
  const found = await lookAt(subjects, async ({ execute }) => ({ findings: await audit(execute) }));
  return found.flatMap((located) => {
    if ('error' in located) return [];
    const { cluster, database, findings } = located;
    return findings.map((finding) => ({ cluster, database, ...finding }));
  });
}

/** What is wrong with a file is no fault of the command. */
function asCommandError(error: unknown): never {
  const isOfFile = error instanceof EditedMigrationError || error instanceof MigrationFileError;
  throw isOfFile ? new CommandError(error.message) : error;
}

/** Draws the bar over itself, or takes it away. A pipe gets none. */
function showProgress(progress?: FleetProgress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[K${progress ? formatProgress(progress) : ''}`);
}

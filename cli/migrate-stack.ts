import { fileURLToPath } from 'node:url';
import { tenantHomeName } from '../shared/contract/index.ts';
import { audit } from '../shared/database/audit.ts';
import { describeReport, EditedMigrationError } from '../shared/database/fleet-error.ts';
import { migrateFleet } from '../shared/database/fleet.ts';
import { withSharedCanaries } from '../shared/database/fleet-plan.ts';
import { readLastFleetRun } from '../shared/database/fleet-runs.ts';
import { readPlacements, readPlan } from '../shared/database/fleet-state.ts';
import { MigrationFileError } from '../shared/database/migration-modes.ts';
import { type Migration, readMigrations } from '../shared/database/migrator.ts';
import type { RecordedFleetRun } from '../shared/fleet/index.ts';
import { CommandError } from './command-error.ts';
import { inParallel } from './in-parallel.ts';
import { databasesAtOnce, databasesOf, holdsRegistry, type StackDatabase } from './stack.ts';
import { showProgress } from './terminal/fleet-bar.ts';
import { formatFindings, type LocatedFinding } from './terminal/format-findings.ts';
import { formatFleetRun } from './terminal/format-fleet-run.ts';
import { formatPlan, formatStatus, type Located } from './terminal/format-fleet.ts';
import { print } from './terminal/print.ts';
import { printable, printableLines } from './terminal/printable.ts';

const canaries = 3;
const migrationsFolder = fileURLToPath(new URL('../migrations/tenant', import.meta.url));

/** A database of the stack, and which of its placements are meant; null for all. */
interface Subject extends StackDatabase {
  readonly only: readonly string[] | null;
}

/** What is asked of the placements of a local stack. */
export interface StackMigration {
  readonly plan: boolean;
  readonly status: boolean;
  readonly tenant: string | undefined;
  readonly json: boolean;
}

/** Brings the placements of a local stack to the newest version of the files here, or says what they have or lack. Returns the exit code. */
export async function migrateStack(dataDir: string, { plan, status, tenant, json }: StackMigration): Promise<number> {
  const files = await readMigrations(migrationsFolder).catch(asCommandError);
  const subjects = await subjectsOf(await databasesOf(dataDir), tenant);
  if (plan) return showPlans(subjects, files, json);
  if (status) return showStatus(subjects, json);
  return migrate(subjects, files, json);
}

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

import { connectionOptions } from '../api/connect.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { migrateStack } from '../migrate-stack.ts';
import { migrateStage } from '../migrate-stage.ts';
import { defaultDataDir } from '../stack.ts';

/** `tenant migrate` */
export const migrateCommand = defineCommand({
  summary: 'bring placements to the newest version, or say which they have',
  description: `Brings the placements of the local stack to the newest of migrations/tenant, a few first and then the others. What fails is left as
it was, and runs again with the next call: docs/migrations.md. Ends with an audit of these databases, as a deployment does. With --api it has
the migration runner of a deployed stage do that, with the files that are deployed, and watches. Exits with 0 when all is done, 1 when
something failed, is left, or cannot be reached, or the audit found an error, 2 when it could not begin.`,
  options: {
    plan: { help: 'say what would run where, and change nothing; of a local stack' },
    status: {
      help: 'say which version placements have, what has failed, and how far the last run is; with --api the last run alone',
    },
    tenant: { value: 'TENANT', help: 'the placement of this tenant alone; of a local stack' },
    'no-wait': { help: 'with --api: print the run as it begins, and do not wait for its end' },
    'idempotency-key': {
      value: 'K',
      help: 'with --api: key of the request: the same key is the same run (default: a new one)',
    },
    ...connectionOptions,
  },
  failureCode: 2,
  async run({ options }) {
    const { plan, status, api, data = defaultDataDir } = options;
    if (plan && status) throw new UsageError('Ask for --plan or for --status, not for both.');
    if (api !== undefined) return migrateStage(options);
    if (options['no-wait'] || options['idempotency-key'] !== undefined || options.region !== undefined)
      throw new UsageError('--no-wait, --idempotency-key and --region go with --api.');
    return migrateStack(data, options);
  },
});

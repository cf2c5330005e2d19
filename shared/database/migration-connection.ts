import { setTimeout as sleep } from 'node:timers/promises';
import {
  DatabaseResumingException,
  ExecuteStatementCommand,
  type Field,
  RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { freshConnections } from './fresh-connections.ts';
import type { Execute } from './migrator.ts';

export interface MigrationTarget {
  readonly resourceArn: string;
  /** Login of the role that runs the statements. */
  readonly secretArn: string;
  readonly database: string;
}

/** A paused cluster takes 15 s to resume, 30 s after a day (RDS Data API, "DatabaseResumingException"). */
const resumeAttempts = 24;
const resumePauseMs = 5_000;

const connections = freshConnections();
let client: RDSDataClient | undefined;

/** Statements over the Data API that act for no tenant. Lint lets only the migration runner import this. */
export function migrationConnection(target: MigrationTarget): Execute {
  const { httpAgent, httpsAgent } = connections;
  client ??= new RDSDataClient({ maxAttempts: 1, requestHandler: { httpAgent, httpsAgent } });
  const rdsData = client;
  return async (sql, parameters = {}) => {
    const command = new ExecuteStatementCommand({
      ...target,
      sql,
      parameters: Object.entries(parameters).map(([name, stringValue]) => ({ name, value: { stringValue } })),
      // A half-applied change is worse than a slow one.
      continueAfterTimeout: true,
    });
    for (let attempt = 1; ; attempt += 1) {
      try {
        connections.closeStale();
        const { records = [] } = await rdsData.send(command);
        return records.map(([first]) => valueOf(first));
      } catch (error) {
        if (!(error instanceof DatabaseResumingException) || attempt === resumeAttempts) throw error;
        await sleep(resumePauseMs);
      }
    }
  };
}

function valueOf(field: Field | undefined): unknown {
  return field?.stringValue ?? field?.longValue ?? field?.booleanValue ?? null;
}

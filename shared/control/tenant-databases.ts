import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import type { HomeInTurn } from './tenant-rows.ts';

/** Databases that are one tenant's alone. */
export interface TenantDatabases {
  /** Makes the database with a login of its own, or finishes making it. @returns the ARN of that login */
  make(home: HomeInTurn): Promise<string>;
  /** Drops the database, its role and its login. Does nothing when there are none. */
  drop(home: HomeInTurn): Promise<void>;
}

const madeSchema = z.object({ secretArn: z.string().min(1) });

/** What Lambda answers for a function that has thrown. */
const thrownSchema = z.object({ errorType: z.string().default('Error'), errorMessage: z.string().default('') });

/** Of what a function has thrown operators read this much, its log has the rest. */
const shownCharacters = 300;

/**
 * Databases, by way of the function that may make them: `functions/migrate`.
 *
 * @throws AppError `internal` with the first line of what the function has failed with
 */
export function tenantDatabasesVia(client: LambdaClient, functionName: string): TenantDatabases {
  const invoke = async (
    action: 'make' | 'drop',
    { tenantId, placement, operationId, turn }: HomeInTurn,
  ): Promise<unknown> => {
    // It looks once more whether this is late: calls of functions are repeated when their answer is lost.
    const Payload = JSON.stringify({ action, tenantId, cluster: placement.cluster, turn: { operationId, turn } });
    const { FunctionError, Payload: answer } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload }),
    );
    const said: unknown = JSON.parse(Buffer.from(answer ?? []).toString() || 'null');
    if (FunctionError === undefined) return said;
    throw new AppError(
      'internal',
      `The function ${functionName} could not ${action} the database ${placement.database} on the cluster ${placement.cluster}. ${firstLineOf(said)}`,
    );
  };
  return {
    make: async (home) => madeSchema.parse(await invoke('make', home)).secretArn,
    drop: async (home) => void (await invoke('drop', home)),
  };
}

function firstLineOf(said: unknown): string {
  const { errorType, errorMessage } = thrownSchema.catch({ errorType: 'Error', errorMessage: '' }).parse(said);
  const [line = ''] = errorMessage.trim().split('\n');
  return `${errorType}: ${line.slice(0, shownCharacters)}`;
}

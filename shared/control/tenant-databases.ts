import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { TenantHome } from './tenant-rows.ts';

/** Databases that are one tenant's alone. */
export interface TenantDatabases {
  /** Makes the database with a login of its own, or finishes making it. @returns the ARN of that login */
  make(home: TenantHome): Promise<string>;
  /** Drops the database, its role and its login. Does nothing when there are none. */
  drop(home: TenantHome): Promise<void>;
}

const madeSchema = z.object({ secretArn: z.string().min(1) });

/**
 * Databases, by way of the function that may make them: `functions/migrate`.
 *
 * @throws Error when the function fails; what it said is in its log
 */
export function tenantDatabasesVia(client: LambdaClient, functionName: string): TenantDatabases {
  const invoke = async (action: 'make' | 'drop', { tenantId, placement }: TenantHome): Promise<unknown> => {
    const Payload = JSON.stringify({ action, tenantId, cluster: placement.cluster });
    const { FunctionError, Payload: answer } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload }),
    );
    if (FunctionError !== undefined) throw new Error(`The function ${functionName} failed: ${FunctionError}.`);
    return JSON.parse(Buffer.from(answer ?? []).toString() || 'null');
  };
  return {
    make: async (home) => madeSchema.parse(await invoke('make', home)).secretArn,
    drop: async (home) => void (await invoke('drop', home)),
  };
}

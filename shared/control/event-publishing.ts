import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { serviceLogger } from '../logging/index.ts';

export interface EventPublishing {
  /**
   * Has what is in the outbox published now, and does not wait for it. Never throws: what it misses is published within a minute anyway.
   */
  publishSoon(): Promise<void>;
}

const log = serviceLogger('event-publishing');

/** Wakes the function that publishes events. */
export function eventPublishingOf(client: LambdaClient, functionArn: string): EventPublishing {
  return {
    publishSoon: async () => {
      try {
        await client.send(new InvokeCommand({ FunctionName: functionArn, InvocationType: 'Event' }));
      } catch (error) {
        log.warn('Events were not published at once', { error: error as Error });
      }
    },
  };
}

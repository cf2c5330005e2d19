import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { type EventBridgeOptions, startEventBridge } from '../../local/event-bridge/server.ts';

export interface KeptEvent {
  readonly eventBusName: string;
  readonly event: { readonly 'detail-type': string; readonly detail: Record<string, unknown> };
}

export interface TestEventBridge extends AsyncDisposable {
  readonly url: string;
  readonly client: EventBridgeClient;
  /** Entries of each request, in order. */
  readonly requests: number[];
  /** What was accepted so far. */
  events(): KeptEvent[];
}

/** EventBridge that keeps its events in a folder of the test's own. */
export async function startTestEventBridge(
  options: Pick<EventBridgeOptions, 'fault' | 'onEvent'> = {},
): Promise<TestEventBridge> {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-events-'));
  const file = join(folder, 'events.jsonl');
  const endpoint = await startEventBridge({ ...options, file, region: 'eu-central-1', account: '000000000000' });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new EventBridgeClient({ endpoint: endpoint.url, region: 'eu-central-1', credentials, maxAttempts: 1 });
  const requests: number[] = [];
  client.middlewareStack.add(
    (next) => (call) => {
      if ('Entries' in call.input) requests.push(call.input.Entries?.length ?? 0);
      return next(call);
    },
    { step: 'initialize' },
  );
  return {
    url: endpoint.url,
    client,
    requests,
    events: () =>
      readFileSync(file, { encoding: 'utf8', flag: 'a+' })
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as KeptEvent),
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await endpoint.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

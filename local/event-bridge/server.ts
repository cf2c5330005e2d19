import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import * as z from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import { type AwsEndpoint, type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import { parseJson } from '../aws/json.ts';
import { parseUntyped } from '../untyped.ts';
import { type Entry, entryBytes, entryFailure, type EntryFailure, entrySchema } from './entries.ts';

export interface EventBridgeOptions {
  /** Gets a line of JSON an event: `{ eventBusName, event }`, the event as a rule's target would get it. */
  readonly file: string;
  readonly region: string;
  readonly account: string;
  /** Missing or 0: any free port. */
  readonly port?: number;
  /** Fails entries that are valid, as a service in trouble does, so that what a client does about it can be tested. */
  readonly fault?: (entry: Entry) => EntryFailure | undefined;
  /** Told of events that were accepted, each once, before that is answered. @default nobody */
  readonly onEvent?: (taken: TakenEvent) => void;
}

/** An event on a bus, as a rule's target gets it. */
export interface TakenEvent {
  readonly eventBusName: string;
  readonly event: { readonly source: string; readonly 'detail-type': string } & Readonly<Record<string, unknown>>;
}

const target = 'AWSEvents.PutEvents';

/** Sum of the entries that one request may have: 256 KB until January 2026. */
const limitBytes = 1024 * 1024;

const putEventsRequest = z.strictObject({
  Entries: z
    .array(entrySchema)
    .min(1, 'Member must have length greater than or equal to 1')
    .max(10, 'Member must have length less than or equal to 10'),
});

/** Serves PutEvents of Amazon EventBridge on 127.0.0.1. Events are kept in a file, and handed on. */
export function startEventBridge(options: EventBridgeOptions): Promise<AwsEndpoint> {
  let written: Promise<void> = Promise.resolve();
  const append = (lines: string): Promise<void> =>
    (written = written.catch(() => undefined).then(() => appendFile(options.file, lines, { mode: 0o600 })));
  return startAwsEndpoint({
    port: options.port ?? 0,
    signingName: 'events',
    contentType: 'application/x-amz-json-1.1',
    // Escapes in Detail may double what is counted, and more.
    requestLimitBytes: 6 * limitBytes,
    handle: async (request) => {
      const entries = parse(request);
      const results = entries.map(
        (entry) => entryFailure(entry) ?? options.fault?.(entry) ?? { EventId: randomUUID() },
      );
      const taken = results.flatMap((result, n) => {
        const entry = entries[n];
        return entry && 'EventId' in result ? [eventOf(entry, result.EventId, options)] : [];
      });
      await append(taken.map((event) => `${JSON.stringify(event)}\n`).join(''));
      for (const event of taken) options.onEvent?.(event);
      return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
    },
    internalError: (cause) => new AwsError('InternalException', 500, String(cause)),
  });
}

function parse({ headers, body }: AwsRequest): Entry[] {
  if (headers['x-amz-target'] !== target) {
    throw new AwsError(
      'UnknownOperationException',
      400,
      `${String(headers['x-amz-target'] ?? 'A request without X-Amz-Target')} is not supported here. Supported is ${target}.`,
    );
  }
  let json: unknown;
  try {
    json = parseJson(body);
  } catch {
    throw new AwsError('SerializationException', 400, 'The request is not JSON.');
  }
  const parsed = putEventsRequest.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `'${path.join('.')}': ${message}`);
    throw validationError(`${problems.length} validation error detected: ${problems.join('; ')}`);
  }
  const { Entries: entries } = parsed.data;
  if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) >= limitBytes) {
    throw validationError('Total size of the entries in the request is over the limit.');
  }
  return entries;
}

function eventOf(entry: Entry, id: string, { region, account }: EventBridgeOptions): TakenEvent {
  const time = entry.Time === undefined ? new Date() : new Date(entry.Time * 1_000);
  const event = {
    version: '0',
    id,
    'detail-type': entry.DetailType,
    source: entry.Source,
    account,
    time: time.toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: entry.Resources,
    detail: parseUntyped(entry.Detail),
  };
  return { eventBusName: entry.EventBusName, event };
}

function validationError(message: string): AwsError {
  return new AwsError('ValidationException', 400, message);
}

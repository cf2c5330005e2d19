/**
 * Runs one function in a process of its own, as Lambda's Node.js runtime does: loads the handler once, then answers one event at a
 * time; for a durable function, one execution from beginning to end. Started by FunctionProcess with the function's environment and nothing else.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { membersOf } from '../untyped.ts';
import { durably } from './durable-handler.ts';
import { type InvokeMessage, reportedError, type WorkerMessage } from './messages.ts';

type Handler = (event: unknown, context: object) => unknown;

const folder = process.env['LAMBDA_TASK_ROOT'] ?? '';
const [file = '', exported = ''] = (process.env['_HANDLER'] ?? '').split('.');

function tell(message: WorkerMessage): void {
  const fatal = message.type === 'error' && message.fatal;
  process.send?.(message, undefined, undefined, () => fatal && process.exit(1));
}

async function loadHandler(): Promise<Handler> {
  const path = ['.mjs', '.js', '.cjs'].map((extension) => join(folder, file + extension)).find(existsSync);
  if (!path) throw new Error(`Cannot find module '${file}' in ${folder}`);
  const module: unknown = await import(pathToFileURL(path).href);
  const handler = membersOf(module).get(exported);
  if (!isHandler(handler)) throw new Error(`${file}.${exported} is undefined or not a function`);
  if (handler.length > 2) throw new Error(`${file}.${exported} takes a callback, which nodejs24.x does not support`);
  return handler;
}

const isHandler = (value: unknown): value is Handler => typeof value === 'function';

/** The context object of nodejs24.x. */
function contextOf({ requestId, deadlineMs }: InvokeMessage): object {
  const name = process.env['AWS_LAMBDA_FUNCTION_NAME'];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: `arn:aws:lambda:${process.env['AWS_REGION']}:${process.env['LOCAL_ACCOUNT_ID']}:function:${name}`,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    awsRequestId: requestId,
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

async function answer(handler: Handler, message: InvokeMessage): Promise<void> {
  try {
    const result: unknown = await handler(JSON.parse(message.event), contextOf(message));
    tell({ type: 'result', payload: result === undefined ? 'null' : JSON.stringify(result) });
  } catch (error) {
    tell({ type: 'error', error: reportedError(error), fatal: false });
  }
}

/** An orphan would hold its memory for ever: the process ends when the stack does, however that ends. */
process.on('disconnect', () => process.exit(0));
process.on('unhandledRejection', (reason) =>
  tell({ type: 'error', error: reportedError(reason, 'Runtime.UnhandledPromiseRejection'), fatal: true }),
);
process.on('uncaughtException', (error) => tell({ type: 'error', error: reportedError(error), fatal: true }));

try {
  const loaded = await loadHandler();
  const handler = process.argv[2] === 'durable' ? await durably(loaded) : loaded;
  process.on('message', (message: InvokeMessage) => void answer(handler, message));
  tell({ type: 'ready' });
} catch (error) {
  tell({ type: 'error', error: reportedError(error), fatal: true });
}

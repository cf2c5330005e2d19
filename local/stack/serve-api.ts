import type { ApiKeyStore } from '../gateway/api-keys.ts';
import type { ApiDefinition } from '../gateway/definition.ts';
import { Gateway } from '../gateway/gateway.ts';
import { startGatewayServer } from '../gateway/server.ts';
import type { Functions } from '../lambda/functions.ts';
import { requestLogger } from './request-log.ts';
import type { Stoppables } from './stoppables.ts';

export interface ServeOptions {
  readonly api: ApiDefinition;
  /** 0: any free port. */
  readonly port: number;
  /** File that gets a line a request. */
  readonly accessLog: string;
  readonly keys: ApiKeyStore;
  readonly functions: Functions;
  /** Shows a line on the terminal. */
  readonly print: (line: string) => void;
  readonly stoppables: Stoppables;
}

/** Serves a REST API on a port of its own. Returns its URL. @throws PortTakenError */
export async function serveApi(options: ServeOptions): Promise<string> {
  const { api, port, accessLog, keys, functions, print, stoppables } = options;
  const gateway = new Gateway(api, keys, (arn, event) => functions.invoke(arn, event));
  const logger = await stoppables.add(requestLogger(accessLog, api.accessLogFormat, print));
  const onFault = (error: unknown): void =>
    print(`The gateway failed: ${error instanceof Error ? error.stack : String(error)}`);
  const { url } = await stoppables.add(startGatewayServer({ gateway, port, onAnswered: logger.log, onFault }));
  return url;
}

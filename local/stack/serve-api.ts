import type { ApiDefinition } from '../gateway/definition.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Principal } from '../gateway/principals.ts';
import { startGatewayServer } from '../gateway/server.ts';
import type { Functions } from '../lambda/functions.ts';
import type { BackingServices } from '../resources/backing-services.ts';
import { requestLogger } from './request-log.ts';
import type { Stoppables } from './stoppables.ts';

export interface ServeOptions {
  readonly api: ApiDefinition;
  /** 0: any free port. */
  readonly port: number;
  /** File that gets a line a request. */
  readonly accessLog: string;
  /** Where keys are looked up, and who is told of the gateway. */
  readonly services: Pick<BackingServices, 'apiKeys' | 'gateways'>;
  readonly functions: Functions;
  /** Whose signatures are good. */
  readonly principals: readonly Principal[];
  /** Shows a line on the terminal. */
  readonly print: (line: string) => void;
  readonly stoppables: Stoppables;
}

/** Serves a REST API on a port of its own. Returns its URL. @throws PortTakenError */
export async function serveApi(options: ServeOptions): Promise<string> {
  const { api, port, accessLog, services, functions, principals, print, stoppables } = options;
  const gateway = new Gateway(api, services.apiKeys, (arn, event) => functions.invoke(arn, event), principals);
  services.gateways.push(gateway);
  const logger = await stoppables.add(requestLogger(accessLog, api.accessLogFormat, print));
  const onFault = (error: unknown): void =>
    print(`The gateway failed: ${error instanceof Error ? error.stack : String(error)}`);
  const { url } = await stoppables.add(startGatewayServer({ gateway, port, onAnswered: logger.log, onFault }));
  return url;
}

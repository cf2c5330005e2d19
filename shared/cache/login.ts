import { Cluster, type Redis } from 'ioredis';
import type { CacheClient } from './client.ts';

export interface CacheCredentials {
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch until which nobody needs to ask for others. @default asked before each command */
  readonly renewAt?: number;
}

/** What connections to come log in with. */
export interface Login {
  /** Whether there is nothing to wait for. */
  isCurrent(): boolean;
  renew(): Promise<void>;
}

/** Keeps the login of every node current, those that the cluster discovers later included. */
export function keepLogin(client: CacheClient, credentials: () => Promise<CacheCredentials>): Login {
  let current: CacheCredentials | undefined;
  const give = ({ options }: Redis): void => {
    if (current) Object.assign(options, { username: current.username, password: current.password });
  };
  client.on('+node', give);
  return {
    isCurrent: () => Date.now() < (current?.renewAt ?? 0),
    renew: async () => {
      current = await credentials();
      for (const node of client instanceof Cluster ? client.nodes() : [client]) give(node);
    },
  };
}

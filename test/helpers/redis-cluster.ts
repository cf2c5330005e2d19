import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './ports.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

const masters = 3;
const slots = 16_384;

export interface ClusterNode extends RedisServer {
  readonly id: string;
}

/** Three real masters, each with a third of the slots, and if asked for a replica of the first one. */
export interface RedisCluster {
  readonly port: number;
  readonly url: string;
  /** Masters in the order of their slots. */
  readonly nodes: readonly ClusterNode[];
  /** The master that has, or had at the start, the slot of a key. */
  homeOf(key: string): Promise<ClusterNode>;
  /**
   * Begins to give a key's slot to another master: the old one answers for the keys that it still has, and with ASK for others.
   * Once that is finished it answers MOVED.
   */
  beginMove(key: string): Promise<SlotMove>;
  /** Kills the first master and makes its replica one. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export interface SlotMove {
  /** Takes the keys along. */
  finish(): Promise<void>;
}

export async function startRedisCluster(options: { readonly replica?: boolean } = {}): Promise<RedisCluster> {
  const count = masters + (options.replica ? 1 : 0);
  const ports = await freePorts(2 * count);
  const servers = await Promise.all(
    ports.slice(0, count).map((port, at) => startRedisServer(port, flagsOf(ports[count + at] ?? 0))),
  );
  const all = await Promise.all(servers.map(async (server) => ({ ...server, id: await idOf(server) })));
  const nodes = all.slice(0, masters);
  const replica = all[masters];
  await assemble(nodes, all, ports.slice(count));
  if (replica) await replicate(first(nodes), replica, all);
  const homeOf = async (key: string): Promise<ClusterNode> => {
    const slot = await slotOf(nodes, key);
    return at(nodes, Math.floor((slot * masters) / slots));
  };
  return {
    port: first(nodes).port,
    url: `redis://127.0.0.1:${first(nodes).port}?cluster=true`,
    nodes,
    homeOf,
    beginMove: async (key) => beginMove(nodes, await slotOf(nodes, key), await homeOf(key)),
    failOver: async () => {
      if (!replica) throw new Error('The cluster was started without a replica.');
      await first(nodes).kill();
      await replica.admin.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
      await until(async () => (await replica.admin.info('replication')).includes('role:master'));
    },
    stop: async () => void (await Promise.all(all.map((node) => node.stop()))),
  };
}

const flagsOf = (busPort: number): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(busPort)],
  // So that the slots of the others are served when one of them is gone.
  ...['--cluster-require-full-coverage', 'no', '--repl-diskless-sync-delay', '0'],
];

const idOf = async ({ admin }: RedisServer): Promise<string> => String(await admin.call('CLUSTER', 'MYID'));

async function assemble(
  nodes: readonly ClusterNode[],
  all: readonly ClusterNode[],
  busPorts: readonly number[],
): Promise<void> {
  for (const [index, { admin }] of nodes.entries()) {
    const [from, to] = [index, index + 1].map((share) => Math.ceil((share * slots) / masters));
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? 0) - 1));
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const [index, { port }] of all.entries()) {
    if (index === 0) continue;
    await first(nodes).admin.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPorts[index]));
  }
  await Promise.all(all.map((node) => until(() => knows(node, all.length))));
}

/** Whether a node has met so many, itself included, and finds all slots served. */
async function knows({ admin }: ClusterNode, count: number): Promise<boolean> {
  const info = String(await admin.call('CLUSTER', 'INFO'));
  const nodes = String(await admin.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  const met = nodes.filter((line) => !/handshake|noaddr|fail/.test(line) && !line.includes('disconnected'));
  return /cluster_state:ok/.test(info) && /cluster_slots_ok:16384/.test(info) && met.length === count;
}

async function replicate(master: ClusterNode, replica: ClusterNode, all: readonly ClusterNode[]): Promise<void> {
  await replica.admin.call('CLUSTER', 'REPLICATE', master.id);
  await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'));
  const hears = async ({ admin }: ClusterNode): Promise<boolean> =>
    String(await admin.call('CLUSTER', 'NODES')).includes(`slave ${master.id}`);
  await Promise.all(all.map((node) => until(() => hears(node))));
}

async function beginMove(nodes: readonly ClusterNode[], slot: number, from: ClusterNode): Promise<SlotMove> {
  const to = at(nodes, (nodes.indexOf(from) + 1) % nodes.length);
  const setSlot = ({ admin }: ClusterNode, ...state: string[]): Promise<unknown> =>
    admin.call('CLUSTER', 'SETSLOT', String(slot), ...state);
  await setSlot(to, 'IMPORTING', from.id);
  await setSlot(from, 'MIGRATING', to.id);
  return {
    finish: async () => {
      const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
      const target = ['127.0.0.1', String(to.port), '', '0', '1000', 'REPLACE', 'KEYS'];
      if (keys.length > 0) await from.admin.call('MIGRATE', ...target, ...keys);
      for (const node of [to, from, ...nodes]) await setSlot(node, 'NODE', to.id);
    },
  };
}

const slotOf = async (nodes: readonly ClusterNode[], key: string): Promise<number> =>
  Number(await first(nodes).admin.call('CLUSTER', 'KEYSLOT', key));

const first = (nodes: readonly ClusterNode[]): ClusterNode => at(nodes, 0);

function at(nodes: readonly ClusterNode[], index: number): ClusterNode {
  const node = nodes[index];
  if (!node) throw new RangeError(`The cluster has no node ${index}.`);
  return node;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

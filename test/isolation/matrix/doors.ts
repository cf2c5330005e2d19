import type { Client } from 'pg';
import { runWithTenant } from '../../../shared/tenancy/index.ts';
import { capabilityFor } from '../../helpers/capability.ts';
import { runWith } from '../../helpers/run-as.ts';
import { runQuery } from './queries.ts';
import type { Cell } from './run-cell.ts';
import type { Situation } from './situations.ts';
import { type Aim, statements } from './statements.ts';
import type { World } from './world.ts';

export type Rows = readonly Readonly<Record<string, unknown>>[];

/** Sends a statement through its door and returns the rows that come back. */
export async function send(world: World, cell: Cell, aim: Aim): Promise<Rows> {
  const text = statements[cell.operation](aim);
  const capability = capabilityIn(cell.situation, aim.actor);
  switch (cell.door) {
    case 'shared/database':
      return throughSharedDatabase(world, cell, aim);
    case 'tenancy.run':
      return runWith(aim.home.app, capability ?? null, text, [], aim.home.schema);
    case 'capability set':
      return withCapabilitySet(aim.home.app, capability ?? '', text);
    case 'nothing set':
      return plain(aim.home.untouched, text);
  }
}

function capabilityIn(situation: Situation, actor: string): string | undefined {
  if (situation === 'no tenant') return undefined;
  return capabilityFor(actor, situation === 'expired' ? { secondsLeft: -1 } : {});
}

async function throughSharedDatabase(world: World, cell: Cell, aim: Aim): Promise<Rows> {
  const { api, home, newHome, placementOf } = world;
  const work = () => runQuery(api.db, cell.operation, aim);
  const capability = capabilityIn(cell.situation, aim.actor);
  if (!capability) return work();
  const placement = placementOf(cell.situation === 'elsewhere' ? newHome : home);
  return runWithTenant(api.context(aim.actor, { capability, placement }), work);
}

/** In a transaction: outside of one the setting would be gone before the statement. */
async function withCapabilitySet(app: Client, capability: string, text: string): Promise<Rows> {
  await app.query('begin');
  try {
    await app.query(`select set_config('tenancy.capability', $1, true)`, [capability]);
    return await plain(app, text);
  } finally {
    // After an error this rolls back.
    await app.query('commit');
  }
}

interface CopySource {
  on: (event: 'copyData', listener: (message: { chunk: Buffer }) => void) => void;
  removeAllListeners: (event: 'copyData') => void;
}

/** COPY answers in messages of its own, a row each, which the client counts and drops: they are heard on its connection. */
async function plain(client: Client, text: string): Promise<Rows> {
  const { connection } = client as unknown as { connection: CopySource };
  const copied: { tenant_id: string }[] = [];
  connection.removeAllListeners('copyData');
  connection.on('copyData', ({ chunk }) => copied.push({ tenant_id: chunk.toString().trim() }));
  const { rows } = await client.query<Record<string, unknown>>(text);
  return [...rows, ...copied];
}

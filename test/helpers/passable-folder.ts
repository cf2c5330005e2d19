import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes a temporary folder below which a database can live: others may pass through it, since the Postgres that root starts may run
 * as another user, but not look around.
 *
 * @param prefix of its name
 */
export async function makePassableFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await chmod(folder, 0o711);
  return folder;
}

import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { StartupError } from './startup-error.ts';
import { readStateFile, writePrivately } from './state-file.ts';

/** Says that a folder's content was made by the local stack, which may therefore replace it. */
const markerName = 'tenantry.json';
const marker = { content: 'data of the local stack', format: 1 } as const;
const markerSchema = z.object({ content: z.literal(marker.content), format: z.literal(marker.format) });

/** What every stack left in its folder before there was a marker. */
const filesOfEarlierVersions = ['issuer.json', 'superuser-password'];

/**
 * Takes a folder for the data of a stack, if it is empty or one already. Nothing in another folder is touched.
 *
 * @throws StartupError if it holds something else
 */
export async function claimFolder(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(markerName)) {
    readStateFile(join(path, markerName), markerSchema, 'Choose another folder with --data DIR.');
  } else {
    const isOurs = names.length === 0 || filesOfEarlierVersions.every((name) => names.includes(name));
    if (!isOurs)
      throw new StartupError(
        `${path} holds files that are not a local stack's. Nothing was changed. Choose a new or empty folder with --data DIR.`,
      );
    await writePrivately(join(path, markerName), `${JSON.stringify(marker)}\n`);
  }
  await keepOthersFromWriting(path);
}

/** Who can write to the folder can replace the code in it that the stack runs. */
async function keepOthersFromWriting(path: string): Promise<void> {
  const { mode } = await stat(path);
  if (mode & 0o022) await chmod(path, mode & 0o755);
}

import { access, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether tests can act as other users, which takes root. */
export const isRoot = process.getuid?.() === 0;
/** Why a test is skipped elsewhere. */
export const needsRoot = 'to act as another user takes root';

const nobody = 65_534;

/** Runs `work`, which must be synchronous, with the permissions of the user "nobody". */
export function asNobody<T>(work: () => T): T {
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/**
 * A PATH on which the local stack finds what it needs, but not the program that opens user namespaces.
 *
 * @param folder that the programs are linked into
 */
export async function pathWithoutUserNamespaces(folder: string): Promise<string> {
  for (const program of ['sh', 'cat']) await symlink(await find(program), join(folder, program));
  return folder;
}

async function find(program: string): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new Error(`There is no ${program} on the PATH.`);
}

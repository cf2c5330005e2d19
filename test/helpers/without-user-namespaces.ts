import { access, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether these tests can pretend to be root on a kernel without user namespaces: to run a program as "nobody" takes root. */
export const isRoot = process.getuid?.() === 0;

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

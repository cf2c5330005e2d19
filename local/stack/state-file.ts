import { readFile, rename, writeFile } from 'node:fs/promises';

/** Text that is made once and then kept in a file which only its owner can read. */
export async function keptText(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const text = make();
  await writePrivately(file, text);
  return text;
}

/** Written beside and renamed, so that whoever reads the file finds all of it. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

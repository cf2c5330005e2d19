import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseUntyped } from '../untyped.ts';
import { hasCode } from './folders.ts';
import { StartupError } from './startup-error.ts';

const madeAnew = 'Put back a good copy of it, or delete it: the next start of the stack makes it anew.';

/**
 * Reads a JSON file of the data folder; undefined if it is missing.
 *
 * @param remedy what to do about a damaged one
 * @throws StartupError that names the file, if it cannot be read or says something else than expected
 */
export function readStateFile<T>(file: string, schema: z.ZodType<T>, remedy = madeAnew): T | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(parseUntyped(text));
  } catch (error) {
    throw new StartupError(`${file} is damaged (${reasonOf(error)}). ${remedy}`, error);
  }
}

/**
 * Text that is made once and then kept in a file which only its owner can read.
 *
 * @throws StartupError if the file is there but cannot be read, or is empty
 */
export async function keptText(file: string, make: () => string): Promise<string> {
  const kept = readText(file)?.trim();
  if (kept) return kept;
  if (kept === '') throw new StartupError(`${file} is empty. Put back a good copy of it.`);
  const text = make();
  await writePrivately(file, text);
  return text;
}

/** Written beside and renamed, so that whoever reads the file finds all of it. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw new StartupError(`${file} cannot be read (${reasonOf(error)}).`, error);
  }
}

/** In one line, and without the text of the file, which may be secret. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return [...(issue?.path.length ? [issue.path.join('.')] : []), issue?.message].join(': ');
  }
  if (error instanceof SyntaxError) return 'no JSON';
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

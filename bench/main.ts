import { fork } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, writeFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { readArguments, showFailure, UsageError } from '../local/command-line.ts';
import type { Result } from './bench.ts';

const helpers = new Set(['bench', 'data-api', 'main', 'postgres', 'redis-faults', 'redis-link', 'stack']);
const folder = import.meta.dirname;
const known = (await readdir(folder))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => !helpers.has(name))
  .sort();
const usage = `usage: npm run bench -- [name…] [--json FILE]     names: ${known.join(' ')}`;

async function main(): Promise<void> {
  const { values, positionals } = readArguments(usage, {
    options: { json: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`There is no benchmark ${unknown.join(', ')}.`);
  if (values.json !== undefined) await requireWritable(values.json);
  const results: Result[] = [];
  for (const name of positionals.length > 0 ? positionals : known) {
    const result = await measure(name);
    print(result);
    results.push(result);
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

/** Found out before minutes of measuring, not after them. What the file holds stays until there is something better. */
async function requireWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'a')).close();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`${file} cannot be written (${reason}).`);
  }
}

/** In a process of its own: clients of AWS keep the endpoint that they found first, and what another benchmark has left would be measured, too. */
async function measure(name: string): Promise<Result> {
  const child = fork(new URL('children/measure.ts', import.meta.url), [name], { serialization: 'advanced' });
  let measured: Omit<Result, 'bench'> | undefined;
  child.once('message', (message) => (measured = message as Omit<Result, 'bench'>));
  await once(child, 'exit');
  if (measured === undefined) throw new Error(`The benchmark ${name} has failed, as said above.`);
  return { bench: name, ...measured };
}

function print({ bench, rows, ratios }: Result): void {
  const width = Math.max(
    ...[...rows.map((row) => row.case), ...ratios.map((ratio) => ratio.name)].map((text) => text.length),
  );
  console.log(`\n${styleText('bold', bench)}`);
  for (const row of rows) console.log(`  ${row.case.padEnd(width)}  ${format(row.value).padStart(12)} ${row.unit}`);
  for (const { name, value, target, met } of ratios) {
    const verdict = met ? styleText('green', 'met') : styleText('red', 'missed');
    console.log(`  ${name.padEnd(width)}  ${format(value).padStart(12)}   target ≤ ${target}  ${verdict}`);
  }
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 6 : 3 });
}

main().catch((error: unknown) => {
  showFailure(error, usage);
  process.exit(error instanceof UsageError ? 2 : 1);
});

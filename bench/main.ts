import { open, readdir, writeFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { readArguments, showFailure, UsageError } from '../local/command-line.ts';
import type { Bench, Result } from './bench.ts';

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

async function measure(name: string): Promise<Result> {
  const { bench } = (await import(`./${name}.ts`)) as { bench: Bench };
  const started = performance.now();
  const progress = (message: string): void => console.error(styleText('dim', `${name}  ${message}`));
  progress('starting');
  const result = { bench: name, ...(await bench(progress)) };
  progress(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
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

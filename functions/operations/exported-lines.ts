import { AppError } from '../../shared/errors/index.ts';

/**
 * Bytes of rows that a call takes, as JSON within JSON: a request of the Data API ends at 4 MiB. An export may have rows of any size, since
 * it reads them in parts.
 */
const batchLimitBytes = 3 * 1024 * 1024;
const batchLimitRows = 1_000;

/** Lines of a file as they come, without their line breaks. @param skip how many to leave out at the beginning */
export async function* linesOf(content: AsyncIterable<Uint8Array>, skip = 0): AsyncGenerator<string> {
  let left = skip;
  let rest: Buffer[] = [];
  for await (const chunk of content) {
    const bytes = Buffer.from(chunk);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      if (left > 0) left -= 1;
      else yield Buffer.concat([...rest, bytes.subarray(start, end)]).toString('utf8');
      rest = [];
      start = end + 1;
    }
    if (start < bytes.length) rest.push(bytes.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}

/** Lines in batches that a call takes. @throws AppError export-unusable for a row that is too large for any */
export async function* batchesOf(lines: AsyncIterable<string>, table: string): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for await (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line));
    if (size > batchLimitBytes) {
      throw new AppError(
        'export-unusable',
        `A row of the table ${table} has ${size} bytes, and no call takes more than ${batchLimitBytes}. Insert it by hand, and leave it out of the file.`,
      );
    }
    if (batch.length === batchLimitRows || bytes + size > batchLimitBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

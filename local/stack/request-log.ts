import { createWriteStream } from 'node:fs';
import { accessLogLine, humanLogLine } from '../gateway/access-log.ts';
import type { RequestContext } from '../gateway/context.ts';

/** Writes each request to the access log, in the template's format, and shows a line for a person. */
export function requestLogger(
  file: string,
  format: string | undefined,
  print: (line: string) => void,
): { log: (context: RequestContext) => void; stop: () => Promise<void> } {
  const accessLog = createWriteStream(file, { flags: 'a', mode: 0o600 });
  return {
    log: (context) => {
      if (format !== undefined) accessLog.write(`${accessLogLine(format, context)}\n`);
      print(humanLogLine(context));
    },
    stop: () => new Promise((resolve) => accessLog.end(resolve)),
  };
}

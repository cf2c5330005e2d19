import { resolve } from 'node:path';
import ts from 'typescript';

/**
 * What TypeScript finds wrong with files that the project has, or would have with these texts in them.
 *
 * @param texts by path from the project's folder
 */
export function typeErrorsOf(texts: Readonly<Record<string, string>>): string[] {
  const files = new Map(Object.entries(texts).map(([path, text]) => [resolve(path), text]));
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const host = ts.createCompilerHost(options);
  host.readFile = (path) => files.get(resolve(path)) ?? ts.sys.readFile(path);
  host.fileExists = (path) => files.has(resolve(path)) || ts.sys.fileExists(path);
  const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, host);
  return [...files.keys()].flatMap((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
}

import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { AppError } from '../errors/index.ts';
import { headerValue } from './headers.ts';

/** Bytes that a JSON body may have unless a service says otherwise. */
export const defaultMaxBodyBytes = 256 * 1024;
/** Levels of objects and arrays in a body. Deeper ones have no use here, and walking them costs more than reading them. */
const maxDepth = 32;

/**
 * Reads a request's JSON body.
 *
 * @throws AppError unsupported-media-type, body-too-large, body-not-json, validation-failed (nested too deeply)
 */
export function readJsonBody(event: APIGatewayProxyEvent, maxBytes: number): unknown {
  requireJsonContentType(event);
  const text = bodyText(event, maxBytes);
  if (text.trim() === '') throw new AppError('body-not-json', 'The body is empty. Send a JSON object.');
  refuseDeepNesting(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the text at fault, which is the client's own.
    throw new AppError(
      'body-not-json',
      `The body is not JSON: ${cause instanceof Error ? cause.message : 'malformed'}.`,
    );
  }
}

function requireJsonContentType(event: APIGatewayProxyEvent): void {
  const header = headerValue(event, 'Content-Type') ?? '';
  if (isJsonInUtf8(header)) return;
  const found = header ? `The content type is ${header.slice(0, 100)}` : 'The request has no content type';
  throw new AppError('unsupported-media-type', `${found}. Send Content-Type: application/json, in UTF-8.`);
}

/** Taken apart at semicolons: one regular expression for all of it takes quadratic time over blanks. */
function isJsonInUtf8(contentType: string): boolean {
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  return type === 'application/json' && parameters.every((text) => /^(charset\s*=\s*("utf-8"|utf-8))?$/.test(text));
}

/** API Gateway sends the bytes of JSON in base64. What it has not recognized as JSON it has decoded already, leniently. */
function bodyText({ body, isBase64Encoded }: APIGatewayProxyEvent, maxBytes: number): string {
  const text = body ?? '';
  // Text in base64 is a third longer than what it stands for.
  if (text.length > (isBase64Encoded ? Math.ceil(maxBytes / 3) * 4 : maxBytes)) throw tooLarge(maxBytes);
  const bytes = Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  if (!isBase64Encoded) return text;
  if (bytes.toString('base64') !== text) throw new AppError('body-not-json', 'The body is not base64.');
  if (!isUtf8(bytes)) throw new AppError('body-not-json', 'The body is not UTF-8 text. Send JSON in UTF-8.');
  return bytes.toString();
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('body-too-large', `The body has more than ${maxBytes} bytes. Send less at once.`);
}

/**
 * Looks at brackets outside of strings, before anything is built from the text. Character by character: a regular expression
 * for strings takes quadratic time when the last one is not closed.
 */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') inString = !inString;
    else if (inString) at += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > maxDepth) throw tooDeep();
  }
}

function tooDeep(): AppError {
  return new AppError('validation-failed', `The body is nested deeper than ${maxDepth} levels.`, {
    errors: [{ pointer: '#/body', detail: `Nested deeper than ${maxDepth} levels.` }],
  });
}

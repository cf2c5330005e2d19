const secretFields = new Set([
  'authorization',
  'capability',
  'password',
  'secret',
  'secretstring',
  'cookie',
  'x-api-key',
]);
const secretText = [
  // A capability, see shared/tenancy/capability.ts.
  /v1\.[a-z0-9-]+\.[a-z0-9-]+\.\d+\.[\w-]+/g,
  // The token of an impersonation, see shared/tenancy/impersonation.ts.
  /tni_[\w-]+/g,
  // A JSON web token.
  /eyJ[\w-]+\.[\w-]+\.[\w-]*/g,
];

/**
 * JSON replacer that keeps credentials out of the log, wherever in an error's message, cause or fields they may sit.
 * Code should not log them in the first place; this is the net.
 */
export function redact(key: string, value: unknown): unknown {
  if (secretFields.has(key.toLowerCase())) return '[redacted]';
  if (typeof value !== 'string') return value;
  return secretText.reduce((text, pattern) => text.replace(pattern, '[redacted]'), value);
}

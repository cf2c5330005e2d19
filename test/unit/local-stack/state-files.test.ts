import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiKeyStore } from '../../../local/gateway/api-keys.ts';
import { startIssuer } from '../../../local/issuer/issuer-server.ts';
import { signToken } from '../../../local/issuer/sign-token.ts';
import { SecretStore } from '../../../local/secrets-manager/secret-store.ts';
import { StartupError } from '../../../local/stack/startup-error.ts';
import { keptText } from '../../../local/stack/state-file.ts';
import { readDeployment } from '../../../local/template/deployment.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-state-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const readers: Readonly<Record<string, () => unknown>> = {
  'issuer.json': async () => (await startIssuer(folder)).stop(),
  'secrets.json': () => SecretStore.open(join(folder, 'secrets.json')),
  'api-keys.json': () => new ApiKeyStore(join(folder, 'api-keys.json')),
  'manifest.json': () => readDeployment(folder),
};

describe.each(Object.entries(readers))('a damaged %s', (name, read) => {
  test.each(['', '{"port":', '[1]', 'null'])('%j is named in one line that says what to do', async (text) => {
    writeFileSync(join(folder, name), text);
    const failure = await Promise.resolve()
      .then(read)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartupError);
    expect(String(failure)).toMatch(new RegExp(`${folder}/${name} is damaged \\([^\n]+\\)\\. [^\n]*[Dd]elete`));
  });
});

test('a missing template is named in one line that says what to do', () => {
  expect(() => readDeployment(folder)).toThrow(
    new StartupError(
      `${folder}/manifest.json is missing. Delete the folder ${folder}, and start again to have it synthesized.`,
    ),
  );
});

test('a token is not signed with half a key', async () => {
  await (await startIssuer(folder)).stop();
  const file = join(folder, 'issuer.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"d":"[^"]*"/, '"d":"?"'));
  await expect(signToken(folder, { tenant: 'acme' })).rejects.toThrow(/issuer\.json is damaged \(privateKey\.d: /);
});

describe('a text that is made once', () => {
  test('is kept in a file that only its owner can read, and an editor’s line end is no part of it', async () => {
    const file = join(folder, 'password');
    expect(await keptText(file, () => 'made')).toBe('made');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, 'made\n');
    expect(await keptText(file, () => 'again')).toBe('made');
  });

  test('is not made again when its file is empty, since something was made with it', async () => {
    writeFileSync(join(folder, 'password'), '');
    await expect(keptText(join(folder, 'password'), () => 'made')).rejects.toThrow(/password is empty\./);
  });
});

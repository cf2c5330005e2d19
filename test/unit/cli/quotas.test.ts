import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AnsweringServer, json, startAnsweringServer } from '../../helpers/answering-server.ts';
import { tenantCommand } from '../../helpers/command.ts';
import { atTerminal, noTerminal } from '../../helpers/terminal.ts';

let server: AnsweringServer;
beforeEach(async () => {
  server = await startAnsweringServer();
  server.otherwise = json(200, { items: [full, roomy, endless] });
});
afterEach(() => server[Symbol.asyncDispose]());

const full = {
  ...{ name: 'api-keys', used: 8_720, limit: 10_000, percent: 87.2, growthPerDay: 23.1 },
  ...{ exhaustedOn: '2026-03-28', warning: true, source: 'Keys of tenants.' },
};
const roomy = {
  ...{ name: 'schemas:main', used: 301, limit: 1_000, percent: 30.1, growthPerDay: null },
  ...{ exhaustedOn: null, warning: false, source: 'Schemas.' },
};
const endless = { ...roomy, name: 'tenants', used: 8_820, limit: null, percent: null, source: 'Tenants.' };

describe('tenant quotas', () => {
  test('prints JSON when piped, and says on the error output what is used up to 80 percent or more', async () => {
    const { code, stdout, stderr } = await tenantCommand('quotas', '--data', server.folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'api-keys is used up to 87.2 %.\n' });
    expect(JSON.parse(stdout)).toEqual([full, roomy, endless]);
  });

  test.skipIf(noTerminal)('prints a table at a terminal, in which what is nearly used up is red', async () => {
    const command = [process.execPath, 'local/run.cjs', '../cli/tenant', 'quotas', '--data', server.folder]
      .map((word) => `'${word}'`)
      .join(' ');
    const { code, screen } = await atTerminal(command, { columns: 120 });
    expect(code).toBe(0);
    const red = (text: string): string => `\u001b[31m${text}`;
    for (const text of ['api-keys', '87.2 %', '2026-03-28']) expect(screen).toContain(red(text));
    for (const text of ['schemas:main', '30.1 %']) {
      expect(screen).toContain(text);
      expect(screen).not.toContain(red(text));
    }
    expect(screen).toMatch(/8,720.*10,000.*\+23\.1/);
    expect(screen).toContain('3 quotas');
    expect(screen).toContain('api-keys is used up to 87.2 %.');
  });
});

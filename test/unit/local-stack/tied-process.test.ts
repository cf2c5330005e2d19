import { describe, expect, test } from 'vitest';
import { spawnTied } from '../../../local/tied-process.ts';

describe('a server that ends by itself', () => {
  test.each([
    ['kill -9 $$', 'signal SIGKILL'],
    ['exit 3', 'exit status 3'],
  ])('says how: %s', async (script, how) => {
    const server = spawnTied(['sh', '-c', script], { stopSignal: 'TERM' });
    expect(await server.crashed).toBe(how);
  });
});

test('a server that is stopped has not crashed', async () => {
  const server = spawnTied(['sleep', '60'], { stopSignal: 'TERM' });
  await server.stop();
  expect(await Promise.race([server.crashed, Promise.resolve('stopped')])).toBe('stopped');
});

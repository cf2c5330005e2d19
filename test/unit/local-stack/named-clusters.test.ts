import { describe, expect, it } from 'vitest';
import type { RunningCluster } from '../../../local/resources/clusters.ts';
import { clusterNamed, nameClusters } from '../../../local/stack/named-clusters.ts';

const running = (name: string): RunningCluster => ({
  name: `tenantry-local-${name}`,
  arn: `arn:${name}`,
  masterSecretArn: `secret:${name}`,
  masterUsername: 'master',
  database: 'tenantry',
  server: {
    host: '127.0.0.1',
    port: 1,
    url: () => '',
    crashed: Promise.withResolvers<string>().promise,
    stop: () => Promise.resolve(),
  },
});

describe('clusters of a running stack', () => {
  it('are found by the names that the configuration has for them, in its order', () => {
    const named = nameClusters({ clusters: { main: 'arn:main', silos: 'arn:silos' } }, ['silos', 'main'].map(running));
    expect(Object.keys(named)).toEqual(['main', 'silos']);
    expect(clusterNamed(named, 'silos').masterSecretArn).toBe('secret:silos');
  });

  it('are all there, or the start ends with the name of the one that is not', () => {
    expect(() => nameClusters({ clusters: { main: 'arn:main', silos: 'arn:silos' } }, [running('main')])).toThrow(
      'The cluster silos (arn:silos) is in none of the stacks.',
    );
    const named = nameClusters({ clusters: { main: 'arn:main' } }, [running('main')]);
    for (const name of ['silos', 'toString'])
      expect(() => clusterNamed(named, name)).toThrow(`The stacks have no cluster ${name}, only main.`);
  });
});

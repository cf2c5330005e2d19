import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { stageTag, tenantTag } from '../../shared/contract/index.ts';
import { startSecretList } from '../helpers/operations/secret-list.ts';

const tagsOf = (tenantId: string): Record<string, string> => ({ [stageTag]: 'dev', [tenantTag]: tenantId });

describe('Secrets of a tenant', () => {
  it('are not those of a tenant whose id begins as its own does', async () => {
    await using list = await startSecretList();
    await list.store.put('arn:aws:secretsmanager:eu-central-1:1:secret:silo/dev/1-AAAAAA', '{}', tagsOf('acme'));
    await list.store.put('arn:aws:secretsmanager:eu-central-1:1:secret:silo/dev/2-AAAAAA', '{}', tagsOf('acme-2'));
    expect(await list.secrets.find('acme')).toEqual(['silo/dev/1']);
  });

  it('are none once they are deleted, although lists still have them', async () => {
    await using list = await startSecretList();
    const arn = 'arn:aws:secretsmanager:eu-central-1:1:secret:silo/dev/1-AAAAAA';
    const named = 'arn:aws:secretsmanager:eu-central-1:1:secret:tenantry/dev/tenants/acme/webhook-AAAAAA';
    await list.store.put(arn, '{}', tagsOf('acme'));
    await list.store.put(named, '{}');
    expect(await list.secrets.find('acme')).toEqual(['silo/dev/1', 'tenantry/dev/tenants/acme/webhook']);
    await list.store.delete(arn);
    await list.store.delete(named);
    const { SecretList } = await list.client.send(new ListSecretsCommand());
    expect(SecretList).toHaveLength(2);
    expect(await list.secrets.find('acme')).toEqual([]);
  });
});

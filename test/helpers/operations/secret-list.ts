import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretStore } from '../../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../../local/secrets-manager/server.ts';
import { type TenantSecrets, tenantSecretsOf } from '../../../shared/control/index.ts';

/** Secrets of a stage called `dev`, as the service lists them. */
export interface SecretList extends AsyncDisposable {
  readonly secrets: TenantSecrets;
  readonly store: SecretStore;
  readonly url: string;
  readonly client: SecretsManagerClient;
}

export async function startSecretList(): Promise<SecretList> {
  const store = SecretStore.open();
  // As on AWS, which says that a list may not show what was changed in the last five minutes.
  const endpoint = await startSecretsManager({ secrets: store, listLagMs: 300_000 });
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    secrets: tenantSecretsOf(client, 'dev'),
    store,
    url: endpoint.url,
    client,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await endpoint.stop();
    },
  };
}

import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { handler } from '../../functions/pre-token/handler.ts';

const eventFor = (userAttributes: Record<string, string>, clientMetadata = {}): PreTokenGenerationV2TriggerEvent => ({
  version: '2',
  triggerSource: 'TokenGeneration_Authentication',
  region: 'eu-central-1',
  userPoolId: 'eu-central-1_example',
  userName: 'ann',
  callerContext: { awsSdkVersion: '3', clientId: 'client' },
  request: { userAttributes, groupConfiguration: {}, clientMetadata },
  response: { claimsAndScopeOverrideDetails: {} },
});

const claimsOf = async (event: PreTokenGenerationV2TriggerEvent) =>
  (await handler(event)).response.claimsAndScopeOverrideDetails.accessTokenGeneration.claimsToAddOrOverride;

describe('the pre-token trigger', () => {
  it('copies tenant and roles of the user into the access token', async () => {
    const event = eventFor({ 'custom:tenant_id': 'acme', 'custom:roles': 'admin  billing' });

    expect(await claimsOf(event)).toEqual({ tenant_id: 'acme', roles: ['admin', 'billing'] });
  });

  it('gives a user without a tenant no tenant claim, so that the authorizer refuses', async () => {
    expect(await claimsOf(eventFor({ email: 'ann@example.com' }))).toEqual({ roles: [] });
  });

  it('ignores what the client sends along', async () => {
    const event = eventFor({ 'custom:tenant_id': 'acme' }, { tenant_id: 'globex', 'custom:roles': 'admin' });

    expect(await claimsOf(event)).toEqual({ tenant_id: 'acme', roles: [] });
  });

  it('hands the rest of the event back, as Cognito wants', async () => {
    const event = eventFor({ 'custom:tenant_id': 'acme' });

    expect(await handler(event)).toMatchObject({ version: '2', userName: 'ann', request: event.request });
  });
});

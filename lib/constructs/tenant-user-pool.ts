import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { tokenClaims, userAttributes } from '../../shared/contract/index.ts';
import type { IssuerConfig } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import { ServiceFunction, type StageSettings } from './service-function.ts';

/**
 * One pool for the users of all tenants. The tenant is an attribute that is set when a user is made: it can neither be
 * changed later nor written by a client, which is what makes the claim behind it worth something.
 */
export class TenantUserPool extends Construct {
  readonly userPool: cognito.UserPool;
  readonly client: cognito.UserPoolClient;
  readonly preToken: ServiceFunction;
  /** How the authorizer verifies the pool's access tokens. */
  readonly issuer: IssuerConfig;

  constructor(scope: Construct, id: string, settings: StageSettings) {
    super(scope, id);
    this.userPool = this.createUserPool();
    this.preToken = new ServiceFunction(this, 'PreToken', {
      ...settings,
      name: 'pre-token',
      description: 'Copies tenant and roles of a user into access tokens',
      memoryMegabytes: 256,
      // Cognito waits five seconds.
      timeout: Duration.seconds(5),
    });
    this.userPool.addTrigger(
      cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      this.preToken.function,
      cognito.LambdaVersion.V2_0,
    );
    this.client = this.createClient();
    this.issuer = {
      issuer: `https://cognito-idp.${Stack.of(this).region}.${Stack.of(this).urlSuffix}/${this.userPool.userPoolId}`,
      audience: [this.client.userPoolClientId],
      audienceClaim: 'client_id',
      tokenUse: 'access',
      tenantClaim: tokenClaims.tenantId,
      rolesClaim: tokenClaims.roles,
    };
  }

  private createUserPool(): cognito.UserPool {
    const userPool = new cognito.UserPool(this, 'UserPool', {
      // Access tokens with claims of our own need it.
      featurePlan: cognito.FeaturePlan.ESSENTIALS,
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      autoVerify: { email: true },
      customAttributes: {
        [userAttributes.tenantId]: new cognito.StringAttribute({ minLen: 3, maxLen: 40, mutable: false }),
        [userAttributes.roles]: new cognito.StringAttribute({ maxLen: 256, mutable: true }),
      },
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      mfa: cognito.Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      accountRecovery: cognito.AccountRecovery.EMAIL_ONLY,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(userPool, {
      'AwsSolutions-COG2':
        'Whether its users need a second factor is each tenant’s choice: the pool offers one-time passwords.',
      'AwsSolutions-COG3':
        'Threat protection needs the Plus plan, a cost per user that a team should choose knowingly.',
      'AwsSolutions-COG8': 'The Plus plan is a cost per user that a team should choose knowingly.',
    });
    return userPool;
  }

  private createClient(): cognito.UserPoolClient {
    return this.userPool.addClient('Client', {
      authFlows: { userSrp: true },
      disableOAuth: true,
      generateSecret: false,
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.minutes(30),
      // The standard ones alone: with tenant or roles among them, a user could choose both.
      writeAttributes: new cognito.ClientAttributes().withStandardAttributes({ fullname: true, locale: true }),
    });
  }
}

import { RemovalPolicy } from 'aws-cdk-lib';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type DatabaseRole, databaseRoles } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';

/** Logins of the database roles, and the key that signs capabilities. Each is read by as few functions as possible. */
export class DatabaseSecrets extends Construct {
  /** Login `{ username, password }` of each role; the same on every cluster. */
  readonly logins: Readonly<Record<DatabaseRole, ISecret>>;
  /** `{ keyId, secret }`: who can read it can act for every tenant. */
  readonly signingKey: ISecret;

  constructor(scope: Construct, id: string, props: { readonly stage: string }) {
    super(scope, id);
    this.logins = {
      owner: this.login('Owner', databaseRoles.owner, props.stage),
      app: this.login('App', databaseRoles.app, props.stage),
      // Ids are kept short: they are part of ARNs, for which the description of the Data API allows 100 characters.
      authorizer: this.login('Auth', databaseRoles.authorizer, props.stage),
      control: this.login('Control', databaseRoles.control, props.stage),
      operations: this.login('Operate', databaseRoles.operations, props.stage),
    };
    this.signingKey = this.generate('SigningKey', {
      description: `Signs the capabilities of tenants (${props.stage})`,
      template: { keyId: 'k1' },
      key: 'secret',
      reason:
        'Rotated by adding a second key, so that capabilities in use stay valid; hosted rotation replaces the value.',
    });
  }

  private login(id: string, username: string, stage: string): ISecret {
    return this.generate(id, {
      description: `Login of the database role ${username} (${stage})`,
      template: { username },
      key: 'password',
      reason:
        'The migration runner sets the password on every cluster; hosted rotation knows one cluster and needs a network path.',
    });
  }

  private generate(
    id: string,
    props: { description: string; template: Record<string, string>; key: string; reason: string },
  ): ISecret {
    const secret = new Secret(this, id, {
      description: props.description,
      generateSecretString: {
        secretStringTemplate: JSON.stringify(props.template),
        generateStringKey: props.key,
        passwordLength: 64,
        excludePunctuation: true,
      },
      // As long-lived as the data: without the key or the logins nobody gets at it.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(secret, { 'AwsSolutions-SMG4': props.reason });
    return secret as ISecret;
  }
}

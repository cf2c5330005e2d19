import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';

/**
 * Lets `grantee` do `actions` to `resourceArns`.
 *
 * @throws when `grantee` has no policy to add this to; the CDK alone would go on without it
 */
export function grant(grantee: IGrantable, actions: readonly string[], resourceArns: readonly string[]): void {
  Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [...resourceArns] }).assertSuccess();
}

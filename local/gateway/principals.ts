/** Who may sign requests, with the credentials that they do it with. */
export interface Principal {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With temporary credentials. */
  readonly sessionToken?: string;
  readonly accountId: string;
  /** As `$context.identity` has it: of a user, or of an assumed role with its session. */
  readonly userArn: string;
  /** The unique id that IAM would have given. */
  readonly userId: string;
  /** Whether a policy allows `execute-api:Invoke`. */
  readonly mayInvoke: boolean;
}

/** What API Gateway tells functions about whoever has signed the request. */
export function identityOf({ accessKeyId, accountId, userArn, userId }: Principal): Record<string, string> {
  return { accessKey: accessKeyId, accountId, caller: userId, user: userId, userArn };
}

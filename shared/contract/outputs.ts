/** Outputs of the stacks that somebody looks up by their names. */
export const stackOutputs = {
  /** Where tenants' users send requests. */
  apiUrl: 'ApiUrl',
  /** Where operators do. */
  controlPlaneUrl: 'ControlPlaneUrl',
  /** The bus to which events of tenants are published. */
  eventBusArn: 'EventBusArn',
  /** The same for machines and the operators' command, who sign requests with AWS credentials. */
  controlPlaneIamUrl: 'ControlPlaneIamUrl',
  /** Managed policy that lets its principals send requests there. */
  operatorPolicyArn: 'OperatorPolicyArn',
} as const;

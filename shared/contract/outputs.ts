/** Outputs of the stacks that somebody looks up by their names. */
export const stackOutputs = {
  /** Where tenants' users send requests. */
  apiUrl: 'ApiUrl',
  /** Where operators do. */
  controlPlaneUrl: 'ControlPlaneUrl',
} as const;

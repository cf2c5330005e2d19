/** A database cluster and the login by which the function may use it. */
export interface ClusterLogin {
  readonly resourceArn: string;
  readonly secretArn: string;
}

/** Where databases are: shared/config reads it from the environment. */
export interface DatabaseConfig {
  /** By cluster name. */
  readonly clusters: Readonly<Record<string, ClusterLogin>>;
  /** The database that holds the registry. */
  readonly registry: { readonly cluster: string; readonly database: string };
}

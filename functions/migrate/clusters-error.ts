/** What went wrong in which cluster. */
export interface ClusterFailure {
  readonly cluster: string;
  readonly error: Error;
}

/** Some clusters could not be brought up to date. The others are; running again does nothing in these. */
export class ClustersError extends AggregateError {
  override readonly name = 'ClustersError';

  /** @param clusters how many there are */
  constructor(failures: readonly ClusterFailure[], clusters: number) {
    const lines = failures.map(({ cluster, error }) => `  ${cluster}: ${error.message.replaceAll('\n', '\n  ')}`);
    super(
      failures.map(({ error }) => error),
      [`${failures.length} of ${clusters} clusters failed; the others were brought up to date.`, ...lines].join('\n'),
    );
  }
}

/** A request that is about to be sent. */
export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The headers of a request with what shows who sends it. */
export type Authenticate = (request: Outgoing) => Promise<Readonly<Record<string, string>>>;

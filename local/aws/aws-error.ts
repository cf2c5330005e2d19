/** An error as an AWS service answers it: the SDKs throw the class of this name. */
export class AwsError extends Error {
  override readonly name: string;
  readonly status: number;
  /** Members of the error besides its message. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Headers of the answer, for errors that have members there. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    name: string,
    status: number,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = name;
    this.status = status;
    this.members = members;
    this.headers = headers;
  }
}

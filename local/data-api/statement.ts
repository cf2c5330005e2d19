import type { Client, Connection, FieldDef, Submittable } from 'pg';
import { dataApiError } from './errors.ts';
import type { BoundStatement } from './parameters.ts';

/** What Postgres answered, values in its own text form. */
export interface StatementResult {
  /** Missing if the statement returns no rows, unlike one that returned none. */
  readonly fields: readonly FieldDef[] | undefined;
  readonly rows: readonly (readonly (string | null)[])[];
  /** First word of Postgres's completion tag, for example `SELECT`. */
  readonly command: string;
  /** Rows inserted, updated, deleted or merged. */
  readonly updated: number;
  /** Set if the rows passed a limit; they are incomplete then. */
  readonly tooLarge: 'row' | 'result' | undefined;
}

/** The part of the driver's connection that speaks Postgres's extended protocol. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string; types: readonly number[] }): void;
  bind(message: { values: readonly (string | Buffer | null)[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: object): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

/** Limits of the Data API on what one statement returns, in bytes. */
const resultLimitBytes = 1024 * 1024;
const rowLimitBytes = 64 * 1024;

/**
 * One statement, sent with its parameters' types declared, which the driver's own query cannot; it counts the bytes of the
 * rows and stops keeping them past the limits.
 */
class Statement implements Submittable {
  readonly #statement: BoundStatement;
  readonly #resolve: (result: StatementResult) => void;
  readonly #reject: (error: Error) => void;
  #fields: readonly FieldDef[] | undefined;
  #rows: (string | null)[][] = [];
  #bytes = 0;
  #command = '';
  #updated = 0;
  #tooLarge: 'row' | 'result' | undefined;

  constructor(statement: BoundStatement, resolve: (result: StatementResult) => void, reject: (error: Error) => void) {
    this.#statement = statement;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    const { text, values } = this.#statement;
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    wire.parse({ name: '', text, types: values.map((value) => value.type) });
    wire.bind({ values: values.map((value) => value.value) });
    wire.describe({ type: 'P', name: '' });
    wire.execute({});
    wire.sync();
    wire.stream.uncork();
  }

  handleRowDescription(message: { readonly fields: readonly FieldDef[] }): void {
    this.#fields = message.fields;
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    const bytes = message.fields.reduce((sum, value) => sum + (value === null ? 0 : Buffer.byteLength(value)), 0);
    // The limit counts what Postgres sends: a column count for each row and a length for each value.
    this.#bytes += bytes + 2 + 4 * message.fields.length;
    if (bytes > rowLimitBytes) this.#tooLarge ??= 'row';
    if (this.#bytes > resultLimitBytes) this.#tooLarge ??= 'result';
    if (this.#tooLarge) this.#rows = [];
    else this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#command = message.text.split(' ', 1)[0] ?? '';
    const [, count] = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY) (\d+)$/.exec(message.text) ?? [];
    this.#updated = Number(count ?? 0);
  }

  handleReadyForQuery(): void {
    if (this.#command === 'COPY') {
      const message = 'execute: unexpected message: CopyOutResponse';
      this.#reject(dataApiError('DatabaseErrorException', message));
      return;
    }
    this.#resolve({
      fields: this.#fields,
      rows: this.#rows,
      command: this.#command,
      updated: this.#updated,
      tooLarge: this.#tooLarge,
    });
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleCopyInResponse(connection: Connection): void {
    const wire = connection as unknown as Wire;
    wire.sendCopyFail('The Data API cannot send data for COPY.');
    // Postgres skipped the first one while it was waiting for data.
    wire.sync();
  }

  handleEmptyQuery(): void {
    // Nothing to do: ReadyForQuery follows.
  }

  handleCopyData(): void {
    // What COPY … TO STDOUT sends has no place in an answer; the statement is refused when it is complete.
  }

  handlePortalSuspended(): void {
    // Rows are fetched without a limit, so that no portal is ever suspended.
  }
}

/** Runs one statement. @throws DatabaseError of the driver, as Postgres reported it */
export function runStatement(client: Client, statement: BoundStatement): Promise<StatementResult> {
  return new Promise((resolve, reject) => {
    client.query(new Statement(statement, resolve, reject));
  });
}

import { Client } from 'pg';
import { databaseRoles } from '../../../shared/contract/index.ts';
import type { TestDatabase } from '../../helpers/database.ts';
import { showsCanary } from './canaries.ts';

export interface Hearsay {
  readonly code: string | undefined;
  readonly leak: string | undefined;
  readonly words: readonly string[];
}

/** A connection of the application role of which every word is looked at. */
export interface Listener extends AsyncDisposable {
  /** Sends a text of statements. The code of the error, if there was one, what has shown a canary, if anything has, and all words. */
  ask(sql: string): Promise<Hearsay>;
  /** Wipes the session. */
  reset(): Promise<void>;
}

/** Nothing that is generated is worth waiting for, and locks of the attacker's other connection neither. */
const limits = '-c statement_timeout=250 -c lock_timeout=50 -c idle_in_transaction_session_timeout=0';

export async function openListener({ port, name }: TestDatabase): Promise<Listener> {
  const { app } = databaseRoles;
  const client = new Client({ host: '127.0.0.1', port, user: app, password: app, database: name, options: limits });
  client.on('error', () => undefined);
  await client.connect();
  let heard: string[] = [];
  const hear = (text: string | undefined) => text !== undefined && heard.push(text);
  // Every message of the server: rows, notices, errors, notifications, what COPY sends.
  const stream = client as unknown as { connection: { on(event: string, listener: (message: Message) => void): void } };
  const { connection } = stream;
  connection.on('dataRow', ({ fields }) => hear(fields?.join('\u0001')));
  connection.on('copyData', ({ chunk }) => hear(chunk?.toString()));
  for (const event of ['notice', 'errorMessage']) connection.on(event, (message) => hear(wordsOf(message)));
  connection.on('notification', ({ channel, payload }) => hear(`${channel} ${payload}`));
  return {
    ask: async (sql) => {
      heard = [];
      const code = await client.query({ text: sql, types: asText }).then(
        () => undefined,
        (error: { code?: string }) => error.code ?? 'lost',
      );
      if (code === 'lost') throw new Error(`The connection was lost by: ${sql}`);
      return { code, leak: heard.find(showsCanary), words: heard };
    },
    reset: async () => {
      await client.query('rollback');
      await client.query('discard all');
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

interface Message {
  readonly fields?: readonly (string | null)[];
  readonly chunk?: Buffer;
  readonly channel?: string;
  readonly payload?: string;
}

/** Values as Postgres wrote them. */
const asText = { getTypeParser: () => (value: string) => value };

/** All fields of an error or a notice, whatever they are called. */
function wordsOf(message: object): string {
  const own = Object.values(message).filter((value) => typeof value === 'string');
  const text = message instanceof Error ? [message.message] : [];
  return [...own, ...text].join(' ');
}

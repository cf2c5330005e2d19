import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { Lease } from './connections.ts';
import { dataApiError } from './errors.ts';

export interface TransactionLimits {
  /** A transaction without a call for so long is rolled back (3 minutes on AWS). */
  readonly idleMs: number;
  /** A transaction that is open for so long is rolled back (24 hours on AWS). */
  readonly lifetimeMs: number;
}

/** What a transaction was begun for; later calls must name the same. */
export interface TransactionTarget {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database: string;
}

interface Transaction extends TransactionTarget {
  readonly lease: Lease;
  readonly lifetime: NodeJS.Timeout;
  readonly expire: () => void;
  idle: NodeJS.Timeout | undefined;
  busy: boolean;
}

type Ending = 'expired' | 'ended';

const reasons: Record<Ending, string> = {
  expired: 'Transaction may be expired.',
  ended: 'One previous call resulted in a termination of your transaction.',
};

/** Open transactions by id. Each holds a connection, and runs one statement at a time. */
export class Transactions {
  readonly #limits: TransactionLimits;
  readonly #open = new Map<string, Transaction>();
  /** How recent transactions ended, for the message; bounded. */
  readonly #endings = new Map<string, Ending>();

  constructor(limits: TransactionLimits) {
    this.#limits = limits;
  }

  /** Registers a connection on which a transaction was begun. */
  add(lease: Lease, target: TransactionTarget): string {
    const id = randomBytes(138).toString('base64');
    const expire = (): void => this.#expire(id);
    const lifetime = setTimeout(expire, this.#limits.lifetimeMs).unref();
    const transaction: Transaction = { ...target, lease, lifetime, expire, idle: undefined, busy: false };
    lease.client.once('end', expire);
    this.#open.set(id, transaction);
    this.#startIdleTimer(id, transaction);
    return id;
  }

  /**
   * Runs `work` as the transaction's only call.
   *
   * @param work gets `keepBusy` for work that goes on after it has settled
   * @throws TransactionNotFoundException, or DatabaseErrorException if a call is running already
   */
  async use<Result>(
    id: string,
    target: Partial<TransactionTarget>,
    work: (client: Client, keepBusy: (until: Promise<unknown>) => void) => Promise<Result>,
  ): Promise<Result> {
    const transaction = this.#claim(id, target);
    let pending: Promise<unknown> | undefined;
    try {
      return await work(transaction.lease.client, (until) => void (pending = until));
    } finally {
      const free = (): void => {
        transaction.busy = false;
        if (this.#open.has(id)) this.#startIdleTimer(id, transaction);
      };
      if (pending) void pending.then(free, free);
      else free();
    }
  }

  /** Runs `work`, which ends the transaction, and gives the connection back whatever happens. */
  async end<Result>(
    id: string,
    target: Partial<TransactionTarget>,
    work: (client: Client) => Promise<Result>,
  ): Promise<Result> {
    const transaction = this.#claim(id, target);
    this.#forget(id, transaction, 'ended');
    try {
      return await work(transaction.lease.client);
    } finally {
      await transaction.lease.release();
    }
  }

  /** Forgets every transaction; closing the connections rolls them back. */
  clear(): void {
    for (const [id, transaction] of this.#open) this.#forget(id, transaction, 'ended');
  }

  #claim(id: string, target: Partial<TransactionTarget>): Transaction {
    const transaction = this.#open.get(id);
    const known = transaction?.resourceArn === target.resourceArn && transaction?.secretArn === target.secretArn;
    if (!transaction || !known) {
      const reason = reasons[this.#endings.get(id) ?? 'expired'];
      throw dataApiError('TransactionNotFoundException', `Transaction ${id} is not found. ${reason}`);
    }
    if (target.database && target.database !== transaction.database) {
      throw dataApiError('BadRequestException', 'Database name is not the same as transaction database');
    }
    if (transaction.busy) throw dataApiError('DatabaseErrorException', 'Transaction is still running a query');
    transaction.busy = true;
    clearTimeout(transaction.idle);
    return transaction;
  }

  #startIdleTimer(id: string, transaction: Transaction): void {
    transaction.idle = setTimeout(() => this.#expire(id), this.#limits.idleMs).unref();
  }

  #expire(id: string): void {
    const transaction = this.#open.get(id);
    if (!transaction) return;
    this.#forget(id, transaction, 'expired');
    void transaction.lease.release();
  }

  #forget(id: string, transaction: Transaction, ending: Ending): void {
    clearTimeout(transaction.idle);
    clearTimeout(transaction.lifetime);
    transaction.lease.client.off('end', transaction.expire);
    this.#open.delete(id);
    this.#endings.set(id, ending);
    const [oldest] = this.#endings.keys();
    if (this.#endings.size > 1_000 && oldest !== undefined) this.#endings.delete(oldest);
  }
}

import { authorizerCacheSeconds } from '../contract/index.ts';
import type { Placement, TenantContext } from '../tenancy/index.ts';

/** Moves are rare: who is forgotten asks the registry once more. */
const most = 1_000;

interface Move {
  readonly from: string;
  readonly to: Placement;
  /** `Date.now()`. */
  readonly until: number;
}

/**
 * Where tenants live now of which an authorizer's answer, still replayed, names the former home. Knows so many at most, each for as long as
 * such an answer may be replayed. That it may be wrong does no harm: the database refuses a tenant that is not at home.
 */
export class MovedTenants {
  readonly #moves = new Map<string, Move>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Remembers where the registry says that the tenant of a request lives. */
  add({ tenantId, placement }: TenantContext, to: Placement): void {
    // The last one added is the last one in the map.
    this.#moves.delete(tenantId);
    if (addressOf(to) === addressOf(placement)) return;
    this.#moves.set(tenantId, { from: addressOf(placement), to, until: this.#now() + authorizerCacheSeconds * 1_000 });
    const [oldest] = this.#moves.keys();
    if (this.#moves.size > most && oldest !== undefined) this.#moves.delete(oldest);
  }

  /** Where a tenant lives that has moved away from where its request says; undefined if nothing is known of that. */
  find({ tenantId, placement }: TenantContext): Placement | undefined {
    const move = this.#moves.get(tenantId);
    return move && move.from === addressOf(placement) && this.#now() < move.until ? move.to : undefined;
  }
}

/** All that a call to the database needs to know of a placement, as one text. */
export const addressOf = ({ cluster, database, schema, secretArn }: Placement): string =>
  JSON.stringify([cluster, database, schema, secretArn]);

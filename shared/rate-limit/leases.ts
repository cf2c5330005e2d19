/** A place among the requests of a tenant that are under way. */
export interface Place {
  /** Of the sorted set of all places taken. */
  readonly key: string;
  /** Of the request that takes it. */
  readonly id: string;
  /** Places that there are. */
  readonly limit: number;
  /** Milliseconds after which it is free again if nobody gives it back. */
  readonly leaseMs: number;
}

/** Which of a tenant's limits a request was refused by. */
export type Refusal = 'rate' | 'concurrency';

/** Places of this process alone. */
export interface LocalLeases {
  hasRoom(place: Place, now?: number): boolean;
  add(place: Place, now?: number): void;
  remove(place: Place): void;
}

/** Insurance while Redis is away: a tenant may do as many things at a time in each function environment as it may do in all. */
export function createLocalLeases(): LocalLeases {
  const taken = new Map<string, Map<string, number>>();
  return {
    hasRoom: ({ key, limit }, now = Date.now()) => {
      const ends = taken.get(key);
      if (!ends) return true;
      for (const [id, end] of ends) if (end <= now) ends.delete(id);
      return ends.size < limit;
    },
    add: ({ key, id, leaseMs }, now = Date.now()) => {
      const ends = taken.get(key) ?? new Map<string, number>();
      taken.set(key, ends.set(id, now + leaseMs));
    },
    remove: ({ key, id }) => {
      const ends = taken.get(key);
      ends?.delete(id);
      if (ends?.size === 0) taken.delete(key);
    },
  };
}

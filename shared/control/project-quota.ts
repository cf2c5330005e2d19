/** Fewer tenants than this show no trend. */
const fewestTenants = 10;
/** Days over which growth is looked at. */
export const growthWindowDays = 30;
/** What is further away is nothing to prepare for. */
const mostDays = 36_500;
const dayMs = 86_400_000;
/** Share of a quota from which on it is time to act. */
const warningShare = 0.8;

/** How many there are, and how many of them have come of late. */
export interface Growth {
  readonly total: number;
  /** Of these, those that came within the last 30 days, or since the first one came. */
  readonly recent: number;
  /** Days that is, at most 30. */
  readonly observedDays: number;
}

/**
 * How many come a day. Those that have gone are not counted, so that the rate is rather too high than too low.
 *
 * @returns null where nothing can be said: of few tenants, of less than a day, or when none has come
 */
export function growthPerDay({ total, recent, observedDays }: Growth): number | null {
  if (total < fewestTenants || observedDays < 1 || recent <= 0) return null;
  return Math.round((recent / observedDays) * 1_000) / 1_000 || null;
}

/** How much of something is used, and how much more there will be. */
export interface Usage {
  /** Null where it could not be counted. */
  readonly used: number | null;
  /** Null where nothing is limited. */
  readonly limit: number | null;
  readonly growthPerDay: number | null;
}

export interface Projection {
  readonly percent: number | null;
  /** The day, `YYYY-MM-DD` in UTC, on which the limit is reached at this rate; null when that is not to be seen. */
  readonly exhaustedOn: string | null;
  readonly warning: boolean;
}

/** Says when a quota is used up if growth goes on as it was. */
export function projectQuota({ used, limit, growthPerDay: perDay }: Usage, now: Date): Projection {
  if (limit === null || used === null) return { percent: null, exhaustedOn: null, warning: false };
  const days = used >= limit ? 0 : perDay === null ? Infinity : Math.ceil((limit - used) / perDay);
  return {
    percent: Math.round((used / limit) * 1_000) / 10,
    exhaustedOn: days > mostDays ? null : new Date(now.getTime() + days * dayMs).toISOString().slice(0, 10),
    warning: used >= limit * warningShare,
  };
}

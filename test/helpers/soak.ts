import { randomInt } from 'node:crypto';

/** Whether tests run in their long form, as `npm run test:soak` does every night. */
export const isSoak = process.env['TENANTRY_SOAK'] === '1';

/** A seed that no run had before, or the one to repeat: `TENANTRY_SEED=<seed>`. */
export function freshSeed(): number {
  const given = process.env['TENANTRY_SEED'];
  return given === undefined ? randomInt(2 ** 31) : Number(given);
}

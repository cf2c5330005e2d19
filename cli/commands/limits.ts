import type { TenantLimits } from '../../shared/contract/index.ts';
import { pathOf } from '../api/tenants.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { operate, operationOptions } from '../operate.ts';
import { wholeNumber } from '../whole-number.ts';

const limitOptions = {
  'requests-per-minute': { value: 'N', help: 'sustained requests a minute' },
  burst: { value: 'N', help: 'requests that may come at once on top of that' },
  'concurrent-requests': { value: 'N', help: 'requests that may be under way at the same time' },
} as const;

const fields: Readonly<Record<keyof typeof limitOptions, keyof TenantLimits>> = {
  'requests-per-minute': 'requestsPerMinute',
  burst: 'burst',
  'concurrent-requests': 'concurrentRequests',
};

/** `tenant limits` */
export const limitsCommand = defineCommand({
  summary: 'let a tenant do less than its plan grants',
  description: `Sets all limits that a tenant has of its own: one that is not typed is as in its plan. They are lower than the plan's; for more, change the plan.`,
  positionals: [tenantPositional],
  options: { ...limitOptions, reset: { help: 'all as in the plan again' }, ...operationOptions },
  run({ options, positionals: [tenantId = ''] }) {
    const limits: TenantLimits = Object.fromEntries(
      Object.entries(fields).flatMap(([option, field]) => {
        const typed = options[option as keyof typeof fields];
        return typed === undefined ? [] : [[field, wholeNumber(`--${option}`, typed, 1, 999_999_999)]];
      }),
    );
    if (options.reset === Object.keys(limits).length > 0) {
      throw new UsageError('Give it limits, or --reset for those of its plan.');
    }
    return operate(pathOf(tenantId, 'change-limits'), limits, options);
  },
});

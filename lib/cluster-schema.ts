import * as z from 'zod';
import { placementModels } from '../shared/contract/index.ts';

const acu = (message: string, minimum: number) =>
  z.number().min(minimum, message).max(256, message).multipleOf(0.5, 'use steps of 0.5 ACU');

const most = z.int('use a whole number').positive('use 1 or more; leave the model out of `models` to take none');

export const clusterSchema = z
  .strictObject({
    /** Aurora capacity units, in steps of 0.5; 0 lets the cluster pause. @default 0.5 */
    minCapacity: acu('use 0 (pauses when idle) to 256 ACU', 0).default(0.5),
    /** @default 4 */
    maxCapacity: acu('use 1 to 256 ACU', 1).default(4),
    /** Idle minutes after which a cluster with minCapacity 0 pauses. Resuming takes about 15 s. @default 5 */
    autoPauseMinutes: z.int().min(5, 'use 5 to 1440 minutes').max(1440, 'use 5 to 1440 minutes').optional(),
    /** Readers in other zones, to fail over to; the Data API itself always talks to the writer. @default 0 */
    readers: z.int().min(0).max(15, 'a cluster has at most 15 readers').default(0),
    /** Days for which point-in-time recovery is possible. @default 7 */
    backupRetentionDays: z.int().min(1, 'use 1 to 35 days').max(35, 'use 1 to 35 days').default(7),
    /** @default true */
    deletionProtection: z.boolean().default(true),
    /** New tenants that the cluster takes: in its pool, in a schema or in a database of their own. @default all of them */
    models: z
      .array(z.enum(placementModels))
      .min(1, 'name a model, or set `drained` to take nobody new')
      .default([...placementModels]),
    /** Most tenants of each model. @default the advice of shared/contract/quotas.ts for bridge and silo, and none for pool */
    limits: z.partialRecord(z.enum(placementModels), most).default({}),
    /** Whether the cluster takes nobody new. Who is there stays. @default false */
    drained: z.boolean().default(false),
  })
  .refine((cluster) => cluster.minCapacity <= cluster.maxCapacity, {
    path: ['maxCapacity'],
    message: 'is below minCapacity; raise it, or lower minCapacity',
  })
  .refine((cluster) => cluster.autoPauseMinutes === undefined || cluster.minCapacity === 0, {
    path: ['autoPauseMinutes'],
    message: 'a cluster pauses only with minCapacity 0; set that, or leave autoPauseMinutes out',
  })
  .check(({ value: { models, limits }, issues }) => {
    for (const model of placementModels) {
      if (limits[model] === undefined || models.includes(model)) continue;
      const message = `the cluster takes no ${model} tenants; add ${model} to \`models\`, or leave the limit out`;
      issues.push({ code: 'custom', input: limits[model], path: ['limits', model], message });
    }
  });

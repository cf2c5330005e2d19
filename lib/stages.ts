import { mainCluster } from '../shared/contract/index.ts';
import type { StageConfigInput } from './config-schema.ts';

/**
 * The stages, chosen with `-c stage=<name>`. All that a stage may set, with defaults, is in config-schema.ts.
 */
export const stages: Readonly<Record<string, Omit<StageConfigInput, 'stage'>>> = {
  /** For trying things out: the database pauses while nobody uses it. */
  dev: {
    clusters: { [mainCluster]: { minCapacity: 0, maxCapacity: 2 } },
    logRetentionDays: 7,
  },

  prod: {
    availabilityZones: 3,
    clusters: { [mainCluster]: { minCapacity: 1, maxCapacity: 32, readers: 1, backupRetentionDays: 35 } },
    cache: { maxDataGigabytes: 50, maxEcpuPerSecond: 100_000 },
    logRetentionDays: 365,
    api: { rateLimit: 5000, burstLimit: 2500 },
  },

  /** What `npm run dev` interprets on one machine; the local issuer is passed in. Two clusters, so that nothing takes there to be one. */
  local: {
    clusters: { [mainCluster]: { models: ['pool', 'bridge'] }, silos: { models: ['bridge', 'silo'] } },
    // A durable function that waits keeps a process here, which it does not on AWS.
    lateAnswerSeconds: 0,
  },
};

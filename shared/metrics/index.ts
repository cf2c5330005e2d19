export { requestMetricsPublisher } from './publish-request-metrics.ts';
export {
  type CacheUse,
  currentRequestRecord,
  type DatabaseOperation,
  recordCacheUse,
  recordDatabaseQuery,
  runWithRequestRecord,
} from './request-record.ts';
export { type Measurements, publishMeasurements } from './publish-measurements.ts';

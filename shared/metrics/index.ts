export { requestMetricsPublisher } from './publish-request-metrics.ts';
export {
  currentRequestRecord,
  type DatabaseOperation,
  recordDatabaseQuery,
  runWithRequestRecord,
} from './request-record.ts';
export { type Measurements, publishMeasurements } from './publish-measurements.ts';

export { type PublishRequestMetrics, requestMetricsPublisher } from './publish-request-metrics.ts';
export {
  currentRequestRecord,
  type DatabaseOperation,
  type DatabaseQuery,
  recordDatabaseQuery,
  type RequestRecord,
  runWithRequestRecord,
} from './request-record.ts';

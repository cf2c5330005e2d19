/** Namespace and names of the metrics that functions emit and that dashboards and alarms read. */
export const metricsNamespace = 'Tenantry';

export const metricNames = {
  requests: 'tenant_requests_total',
  requestDuration: 'tenant_request_duration_ms',
  databaseQueries: 'tenant_database_queries_total',
  activeTenants: 'active_tenants',
  databaseTime: 'tenant_database_time_ms',
  throttles: 'tenant_throttles_total',
  /** Answers of the tenants' cache, those included whose time is over while another one is loaded. */
  cacheHits: 'tenant_cache_hits_total',
  cacheMisses: 'tenant_cache_misses_total',
  /** Values that were too large to be cached. */
  cacheValuesTooLarge: 'tenant_cache_values_too_large_total',
  /** Uses of the cache that came to nothing, because it did not answer in time or refused. */
  cacheFailures: 'tenant_cache_failures_total',
  /** Decisions on limits that functions made alone, or could not make, because the cache did not answer. */
  limiterFallbacks: 'limiter_fallbacks_total',
  /** Counted from the gateway's access log, since an authorizer that cannot run cannot count. Has no dimensions. */
  authorizerFailures: 'authorizer_failures_total',
  /** Of the oldest event that is still to be published, each minute. */
  unpublishedEventAge: 'unpublished_event_age_seconds',
  /** Events that no bus will take, and that are passed over. */
  refusedEvents: 'refused_events_total',
  /** Of the oldest operation that has not ended, each minute. */
  unfinishedOperationAge: 'unfinished_operation_age_seconds',
  restartedOperations: 'restarted_operations_total',
} as const;

/** Dimensions in use. All are bounded: the tenant is metadata of the log line, never a dimension. */
export const metricDimensions = {
  service: 'service',
  plan: 'plan',
  route: 'route',
  operation: 'operation',
} as const;

/** Metadata field of each metric log line that Logs Insights and Contributor Insights group by. */
export const tenantMetadataKey = 'tenantId';

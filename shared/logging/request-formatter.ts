import { LogFormatter, LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { currentRequestRecord } from '../metrics/request-record.ts';
import { currentTenantIfAny } from '../tenancy/context.ts';

/**
 * Adds to each line for which request, tenant and user, or operator, it was written. They are read from the invocation's own storage at that moment,
 * never appended to the logger, which would keep them for the next request.
 */
export class RequestFormatter extends LogFormatter {
  override formatAttributes(attributes: UnformattedAttributes, extra: LogAttributes): LogItem {
    const record = currentRequestRecord();
    const tenant = currentTenantIfAny();
    return new LogItem({
      attributes: {
        level: attributes.logLevel,
        message: attributes.message,
        timestamp: this.formatTimestamp(attributes.timestamp),
        service: attributes.serviceName,
        requestId: record?.requestId,
        route: record?.route,
        tenantId: tenant?.tenantId,
        userId: tenant?.userId,
        actor: tenant?.impersonation?.actor,
        impersonationId: tenant?.impersonation?.id,
        operatorId: record?.operatorId,
        xray_trace_id: attributes.xRayTraceId,
      },
    }).addAttributes(extra);
  }
}

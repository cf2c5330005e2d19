export {
  type ApiDescription,
  describeApi,
  describeOperatorApi,
  describePublicApi,
  type Handlers,
  type RouteDescription,
  type RouteDescriptions,
} from './describe-api.ts';
export { calendarDate, changesOf, flag, id, text, timestamp, version } from './fields.ts';
export { headerValue, headerValues } from './headers.ts';
export { idempotencyHeader, idempotencyKeySchema } from './idempotency-key.ts';
export { defaultMaxBodyBytes, readJsonBody } from './json-body.ts';
export {
  pageOf,
  pageQuery,
  pageQueryAt,
  pageQueryBy,
  type PageRequest,
  toPage,
  toPageAt,
  toPageBy,
} from './pagination.ts';
export { requestIdOf } from './request-id.ts';
export { type Answer, successAnswer, toProblemResponse, toResponse } from './respond.ts';
export { uuidv7 } from './uuid-v7.ts';
export { validateRequest, type ValidatedRequest } from './validate.ts';

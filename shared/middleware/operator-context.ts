import { authorizerContextKeys } from '../contract/index.ts';
import { AppError } from '../errors/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import { enterOperator } from '../tenancy/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Sets the operator of the request, as the operator authorizer found out: `currentOperator()` then returns it. Without one nothing is done.
 *
 * @throws AppError internal when the authorizer said nothing of an operator
 */
export function operatorContext(): ApiMiddleware {
  return {
    before: ({ event }) => {
      const operatorId: unknown = event.requestContext.authorizer?.[authorizerContextKeys.operatorId];
      if (typeof operatorId !== 'string' || operatorId === '') {
        throw new AppError('internal', 'The authorizer’s context names no operator.');
      }
      enterOperator({ operatorId });
      const record = currentRequestRecord();
      if (record) record.operatorId = operatorId;
    },
  };
}

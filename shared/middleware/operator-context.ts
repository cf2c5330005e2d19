import { AppError } from '../errors/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import { enterOperator } from '../tenancy/index.ts';
import type { ApiMiddleware } from './api-event.ts';
import { operatorOf } from './operator-of.ts';

/**
 * Sets the operator of the request, as API Gateway says: `currentOperator()` then returns it. Without one nothing is done.
 *
 * @throws AppError internal when neither door of the control plane has named an operator
 */
export function operatorContext(): ApiMiddleware {
  return {
    before: ({ event }) => {
      const operatorId = operatorOf(event.requestContext);
      if (operatorId === undefined) throw new AppError('internal', 'The request’s context names no operator.');
      enterOperator({ operatorId });
      const record = currentRequestRecord();
      if (record) record.operatorId = operatorId;
    },
  };
}

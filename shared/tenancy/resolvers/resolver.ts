import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { TenantContext } from '../context.ts';

/** Finds out for which tenant a request acts. Rejects with an AppError when it acts for none. */
export type TenantResolver = (event: APIGatewayProxyEvent) => TenantContext | Promise<TenantContext>;

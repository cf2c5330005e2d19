import { AppError } from '../errors/index.ts';

/**
 * A query names another tenant than the current one. The message names the column and not the value, which is none of the
 * client's business.
 */
export class TenantScopeError extends AppError {
  constructor(message: string) {
    super('tenant-mismatch', message);
  }
}

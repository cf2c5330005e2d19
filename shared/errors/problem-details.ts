import type { AppError, ErrorItem } from './app-error.ts';
import { type ErrorCode, errorCatalogue } from './catalogue.ts';

/** Body of every error answer: RFC 9457, with our `code`. */
interface ProblemDetails {
  readonly type: `urn:tenantry:error:${ErrorCode}`;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** Left out from 500 upwards: what broke inside is for the log. */
  readonly detail?: string;
  /** Request id, by which the log of the request is found. */
  readonly instance: string;
  readonly errors?: readonly ErrorItem[];
}

/** The problem details that a client is shown for `error`, in the request `requestId`. */
export function problemDetails(error: AppError, requestId: string): ProblemDetails {
  return {
    type: `urn:tenantry:error:${error.code}`,
    title: errorCatalogue[error.code].title,
    status: error.status,
    code: error.code,
    ...(error.status < 500 && { detail: error.message }),
    instance: requestId,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
}

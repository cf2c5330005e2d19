import * as z from 'zod';

/** What the stack tells a function's process. */
export interface InvokeMessage {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  /** Milliseconds since the epoch at which the invocation times out. */
  readonly deadlineMs: number;
}

/** An error as Lambda reports it to the caller. */
export interface ReportedError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** What a function's process tells the stack. `fatal`: the process ends after it. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly payload: string }
  | { readonly type: 'error'; readonly error: ReportedError; readonly fatal: boolean };

export function reportedError(cause: unknown, errorType?: string): ReportedError {
  if (!(cause instanceof Error))
    return { errorType: errorType ?? typeof cause, errorMessage: String(cause), trace: [] };
  return {
    errorType: errorType ?? cause.name,
    errorMessage: errorType ? `${cause.name}: ${cause.message}` : cause.message,
    trace: (cause.stack ?? '').split('\n'),
  };
}

const reportedErrorSchema = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).default([]),
});

/** The error that an invocation's payload is. */
export function readReportedError(payload: string): ReportedError {
  return reportedErrorSchema.parse(JSON.parse(payload));
}

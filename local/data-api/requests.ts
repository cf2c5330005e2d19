import * as z from 'zod';
import { parseJson } from '../aws/json.ts';
import { dataApiError } from './errors.ts';

const long = z.union([z.int(), z.bigint()]);

const field = z.object({
  isNull: z.boolean().nullish(),
  booleanValue: z.boolean().nullish(),
  longValue: long.nullish(),
  doubleValue: z.union([z.number(), z.bigint(), z.enum(['NaN', 'Infinity', '-Infinity'])]).nullish(),
  stringValue: z.string().nullish(),
  blobValue: z.base64().nullish(),
  arrayValue: z.unknown().optional(),
});

const typeHint = z.enum(['DATE', 'DECIMAL', 'JSON', 'TIME', 'TIMESTAMP', 'UUID']);

const parameter = z.object({ name: z.string().nullish(), value: field.nullish(), typeHint: typeHint.nullish() });

const database = { database: z.string().max(64).nullish(), schema: z.string().max(64).nullish() };
/**
 * The API's description allows 100 characters, the service takes more: the secrets that RDS makes itself have ARNs of 108 and up,
 * and are in use with it. 2048 is the limit of Secrets Manager.
 */
const arn = z.string().min(11).max(2_048);
const target = { resourceArn: arn, secretArn: arn };
const sql = z.string().max(65_536);
const transactionId = z.string().max(192);

export const requestSchemas = {
  ExecuteStatement: z.object({
    ...target,
    ...database,
    sql,
    parameters: z.array(parameter).nullish(),
    transactionId: transactionId.nullish(),
    includeResultMetadata: z.boolean().nullish(),
    continueAfterTimeout: z.boolean().nullish(),
    resultSetOptions: z
      .object({
        decimalReturnType: z.enum(['STRING', 'DOUBLE_OR_LONG']).nullish(),
        longReturnType: z.enum(['LONG', 'STRING']).nullish(),
      })
      .nullish(),
    formatRecordsAs: z.enum(['NONE', 'JSON']).nullish(),
  }),
  BatchExecuteStatement: z.object({
    ...target,
    ...database,
    sql,
    parameterSets: z.array(z.array(parameter)).nullish(),
    transactionId: transactionId.nullish(),
  }),
  BeginTransaction: z.object({ ...target, ...database }),
  CommitTransaction: z.object({ ...target, transactionId }),
  RollbackTransaction: z.object({ ...target, transactionId }),
};

export type Operation = keyof typeof requestSchemas;
export type SqlParameter = z.infer<typeof parameter>;
export type ExecuteStatementRequest = z.infer<typeof requestSchemas.ExecuteStatement>;
export type BatchExecuteStatementRequest = z.infer<typeof requestSchemas.BatchExecuteStatement>;
export type BeginTransactionRequest = z.infer<typeof requestSchemas.BeginTransaction>;
export type EndTransactionRequest = z.infer<typeof requestSchemas.CommitTransaction>;

/** Reads a request's body. @throws BadRequestException */
export function parseBody(body: string): unknown {
  try {
    return parseJson(body);
  } catch (error) {
    throw dataApiError('BadRequestException', `The request is not JSON: ${String(error)}`);
  }
}

/** @throws ValidationException that names every member that is wrong */
export function checkRequest<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `'${issue.path.join('.')}': ${issue.message}`);
  const errors = problems.length === 1 ? 'error' : 'errors';
  throw dataApiError('ValidationException', `${problems.length} validation ${errors} detected: ${problems.join('; ')}`);
}

import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { parseUntyped } from '../untyped.ts';

export const entrySchema = z.strictObject({
  Time: z.number().optional(),
  Source: z.string().default(''),
  Resources: z.array(z.string()).default([]),
  DetailType: z.string().default(''),
  Detail: z.string().default(''),
  EventBusName: z.string().min(1).max(1600).default('default'),
  TraceHeader: z.string().max(500).optional(),
});
export type Entry = Readonly<z.infer<typeof entrySchema>>;

/** Why an entry is not accepted, as PutEvents answers it among the entries that are. */
export interface EntryFailure {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

/** Bytes that PutEvents counts an entry as: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
export function entryBytes({ Time, Source, DetailType, Detail, Resources }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

export function entryFailure(entry: Entry): EntryFailure | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'] as const)
    if (entry[name] === '') return invalid(name, `${name} is a required argument.`);
  if (entry.DetailType.length > 128) return invalid('DetailType', 'DetailType has more than 128 characters.');
  if (entry.Source.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  if (!isObject(entry.Detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return undefined;
}

function invalid(parameter: string, reason: string): EntryFailure {
  return { ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${parameter} is not valid. Reason: ${reason}` };
}

function isObject(json: string): boolean {
  try {
    return z.looseObject({}).safeParse(parseUntyped(json)).success;
  } catch {
    return false;
  }
}

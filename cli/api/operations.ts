import * as z from 'zod';
import { readAs } from './answer.ts';
import type { ControlPlane, Query } from './control-plane.ts';
import { listAll } from './pages.ts';

const stepSchema = z.looseObject({
  name: z.string(),
  state: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
});

const operationSchema = z.looseObject({
  id: z.string(),
  tenantId: z.string(),
  kind: z.string(),
  state: z.string(),
  steps: z.array(stepSchema),
  counts: z.record(z.string(), z.number()),
  percent: z.number(),
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).nullable(),
  actor: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  endedAt: z.string().nullable(),
});
/** An operation as the control plane shows it, with whatever else it says of it. */
export type Operation = z.output<typeof operationSchema>;

/** Operations that the filter lets through, newest first. */
export const listOperations = (plane: ControlPlane, filter: Query, most: number): Promise<Operation[]> =>
  listAll(plane, '/operations', operationSchema, filter, most);

export const showOperation = async ({ get }: ControlPlane, operationId: string): Promise<Operation> =>
  readAs(operationSchema, await get(`/operations/${encodeURIComponent(operationId)}`));

/** Starts an operation; the same key gives the same one. */
export const startOperation = async (
  { post }: ControlPlane,
  path: string,
  body: object,
  idempotencyKey: string,
): Promise<Operation> => readAs(operationSchema, await post(path, body, { idempotencyKey }));

/** Whether it is over, one way or the other. */
export const hasEnded = ({ state }: Pick<Operation, 'state'>): boolean => state === 'succeeded' || state === 'failed';

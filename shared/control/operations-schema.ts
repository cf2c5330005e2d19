import * as z from 'zod';
import { exportsFolder } from '../contract/index.ts';
import { text } from '../http/index.ts';
import { placementSchema, planSchema, tenantIdSchema, tenantLimitsSchema } from '../tenancy/tenant.ts';
import { managedTenantSchema } from './managed-tenant.ts';

const operationKinds = [
  'onboard',
  'activate',
  'suspend',
  'change-plan',
  'change-limits',
  'rename',
  'offboard',
  'export',
] as const;
export type OperationKind = (typeof operationKinds)[number];

/** What the registry says of a tenant, as operations and the audit log keep it. */
const tenantRecordSchema = managedTenantSchema.pick({
  name: true,
  plan: true,
  limits: true,
  state: true,
  placement: true,
});
export type TenantRecord = Readonly<z.output<typeof tenantRecordSchema>>;

/** Where the files of an export are. */
export const exportPrefix = (tenantId: string, operationId: string): string =>
  `${exportsFolder}${tenantId}/${operationId}/`;
const exportPrefixSchema = z.string().regex(/^exports\/[a-z][a-z0-9-]{1,38}[a-z0-9]\/[0-9a-f-]{36}\/$/);

/** Nothing that ends a line or turns the direction of what comes after it: a name stands among others, and is to look like what it is. */
const tenantName = text(1, 200).regex(
  /^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u,
  'Expected one line, without control characters.',
);

/** What each kind of operation needs to know, beyond the tenant. */
export const operationInputs = {
  onboard: z.strictObject({
    name: tenantName,
    plan: planSchema,
    /** The cluster that was asked for. @default any that has room */
    cluster: placementSchema.shape.cluster.optional(),
    /** Where it lives, as was chosen then. */
    placement: placementSchema,
    /** What the tenant begins with: the id of an operation that exported a tenant, or the prefix of its files. */
    from: z
      .union(
        [z.uuid(), exportPrefixSchema],
        'Expected the id of an operation that exported a tenant, or the prefix of its files.',
      )
      .optional(),
    /** Whether the id may be one of a tenant that was offboarded, whose users' tokens would then be good for this one. */
    reuseId: z.boolean().optional(),
  }),
  activate: z.strictObject({}),
  suspend: z.strictObject({}),
  'change-plan': z.strictObject({ plan: planSchema }),
  /** All that are to be the tenant's own. */
  'change-limits': tenantLimitsSchema,
  rename: z.strictObject({ name: tenantName }),
  export: z.strictObject({}),
  offboard: z.strictObject({
    /** Whether the tenant's rows are exported before they are erased. */
    export: z.boolean().default(true),
  }),
} as const satisfies Record<OperationKind, z.ZodType>;
export type KnownKind = keyof typeof operationInputs;
export type OperationInput<Kind extends KnownKind> = Readonly<z.output<(typeof operationInputs)[Kind]>>;

const timestamp = z.iso.datetime({ offset: true });

const stepStates = ['pending', 'running', 'succeeded', 'failed', 'undoing', 'undone'] as const;
export type StepState = (typeof stepStates)[number];

const stepSchema = z.object({
  name: z.string(),
  state: z.enum(stepStates),
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
});

/** Why an operation failed: a code of the error catalogue, what happened, and what to do. */
const operationErrorSchema = z.object({ code: z.string(), message: z.string(), remedy: z.string() });
export type OperationError = Readonly<z.output<typeof operationErrorSchema>>;

export const operationStates = ['pending', 'running', 'succeeded', 'failed'] as const;

/** An operation as the registry keeps it. */
export const operationSchema = z.object({
  id: z.uuid(),
  tenantId: tenantIdSchema,
  kind: z.enum(operationKinds),
  state: z.enum(operationStates),
  input: z.record(z.string(), z.unknown()),
  /** The tenant when the operation was asked for; null if there was none. */
  before: tenantRecordSchema.nullable(),
  steps: z.array(stepSchema),
  counts: z.record(z.string(), z.number()),
  /** What it has made or shown. */
  result: z.record(z.string(), z.unknown()).nullable(),
  percent: z.number().int().min(0).max(100),
  /** Set while the operation is running, it is being undone. */
  error: operationErrorSchema.nullable(),
  actor: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
  endedAt: timestamp.nullable(),
});
export type Operation = Readonly<z.output<typeof operationSchema>>;

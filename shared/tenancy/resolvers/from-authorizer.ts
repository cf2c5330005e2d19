import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import { authorizerContextKeys as keys } from '../../contract/index.ts';
import { AppError } from '../../errors/index.ts';
import type { TenantContext } from '../context.ts';
import { placementSchema, planSchema, tenantIdSchema, tenantLimitsSchema } from '../tenant.ts';
import { tenantsNamedByHeader, tenantsNamedBySubdomain } from './named-tenant.ts';
import type { TenantResolver } from './resolver.ts';

/** JSON of what fits a schema. */
const jsonOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.string().transform((text, issues): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      issues.addIssue({ code: 'custom', message: 'is malformed' });
      return z.NEVER;
    }
  });

/** Undoes the escapes of what can stand between the quotes of a JSON text. */
const quotableText = z.string().transform((text, issues) => {
  try {
    return z
      .string()
      .min(1)
      .parse(JSON.parse(`"${text}"`));
  } catch {
    issues.addIssue({ code: 'custom', message: 'is not escaped' });
    return z.NEVER;
  }
});

/** API Gateway delivers every value of an authorizer's context as a string. */
const authorizerContextSchema = z
  .object({
    [keys.tenantId]: tenantIdSchema,
    [keys.plan]: planSchema,
    [keys.placement]: jsonOf(placementSchema),
    [keys.limits]: jsonOf(tenantLimitsSchema).exactOptional(),
    [keys.userId]: z.string(),
    [keys.roles]: z.string(),
    [keys.capability]: z.string().min(1),
    [keys.actor]: quotableText.optional(),
    [keys.impersonationId]: z.guid().optional(),
  })
  .refine(({ actor, impersonationId }) => (actor === undefined) === (impersonationId === undefined), {
    path: [keys.impersonationId],
  })
  .transform(({ actor, impersonationId: id, ...context }): TenantContext => ({
    ...context,
    roles: context.roles.split(' ').filter((role) => role !== ''),
    ...(actor !== undefined && id !== undefined && { impersonation: { id, actor } }),
  }));

export interface FromAuthorizerOptions {
  /** Domains below which a subdomain names a tenant. @default none */
  readonly baseDomains?: readonly string[];
}

/**
 * Takes the tenant from what the authorizer found out, the only source that a client cannot write. A header or a subdomain that
 * names another tenant is refused, so that a client that mixes up two tenants notices.
 *
 * @throws AppError tenant-mismatch
 */
export function fromAuthorizer({ baseDomains = [] }: FromAuthorizerOptions = {}): TenantResolver {
  return (event) => {
    const parsed = authorizerContextSchema.safeParse(event.requestContext.authorizer ?? {});
    if (!parsed.success) {
      // The message names fields, never values: one of them is the capability.
      const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
      throw new AppError('internal', `The authorizer's context is missing or malformed: ${fields}.`);
    }
    refuseOtherTenants(event, parsed.data.tenantId, baseDomains);
    return parsed.data;
  };
}

function refuseOtherTenants(event: APIGatewayProxyEvent, tenantId: string, baseDomains: readonly string[]): void {
  const named = [...tenantsNamedByHeader(event), ...tenantsNamedBySubdomain(event, baseDomains)];
  const other = named.find((name) => name !== tenantId);
  if (other === undefined) return;
  throw new AppError(
    'tenant-mismatch',
    `The token is for the tenant ${tenantId}, but the request names ${other.slice(0, 100)}. Use that tenant's token, or leave the name out.`,
  );
}

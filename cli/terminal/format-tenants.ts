import type { Tenant } from '../api/tenants.ts';
import { formatFields } from './fields.ts';
import type { Colour, Paint } from './paint.ts';
import { type Column, formatTable, type TableOptions } from './table.ts';
import { minuteOf } from './times.ts';

const stateColours: Readonly<Record<string, Colour>> = { active: 'green', suspended: 'yellow' };
const colourOf = (state: string): Colour => stateColours[state] ?? 'cyan';
/** A database that is the tenant's alone has but one schema, of the same name. */
const homeOf = ({ cluster, database, schema }: Tenant['placement']): string =>
  [...new Set([cluster, database, schema])].join('/');

const columns: readonly Column<Tenant>[] = [
  { title: 'TENANT', of: ({ tenantId }) => tenantId, colour: () => 'bold', isWhole: true },
  { title: 'NAME', of: ({ name }) => name, isLong: true },
  { title: 'PLAN', of: ({ plan }) => plan },
  { title: 'STATE', of: ({ state }) => state, colour: ({ state }) => colourOf(state) },
  { title: 'MODEL', of: ({ placement }) => placement.model },
  { title: 'HOME', of: ({ placement }) => homeOf(placement), isLong: true },
  { title: 'CREATED', of: ({ createdAt }) => minuteOf(createdAt) },
];

/** A table for a terminal, a line a tenant. */
export function formatTenants(tenants: readonly Tenant[], options: Omit<TableOptions, 'noun'>): string {
  return formatTable(tenants, columns, { ...options, noun: 'tenant' });
}

/** Limits of the tenant's own, if it has some. */
function limitsOf({ limits }: Tenant): string | undefined {
  if (!limits) return undefined;
  const shown: readonly [number | undefined, string][] = [
    [limits.requestsPerMinute, 'requests a minute'],
    [limits.burst, 'at once on top'],
    [limits.concurrentRequests, 'under way'],
  ];
  return shown
    .flatMap(([limit, what]) => (limit === undefined ? [] : [`${limit.toLocaleString('en')} ${what}`]))
    .join(', ');
}

/** One tenant for a terminal, a line a field. */
export function formatTenant(tenant: Tenant, paint: Paint): string {
  const { tenantId, name, plan, state, placement, createdAt, updatedAt } = tenant;
  return formatFields(
    {
      Tenant: [tenantId, 'bold'],
      Name: name,
      Plan: plan,
      Limits: limitsOf(tenant),
      State: [state, colourOf(state)],
      Model: placement.model,
      Home: homeOf(placement),
      Created: createdAt,
      Updated: updatedAt,
    },
    paint,
  );
}

import type { Paint } from './paint.ts';
import type { Tenant } from './tenants.ts';

type Colour = Parameters<Paint>[0];

const stateColours: Readonly<Record<string, Colour>> = { active: 'green', suspended: 'yellow' };
const colourOf = (state: string): Colour => stateColours[state] ?? 'cyan';

const columns: readonly { title: string; of: (tenant: Tenant) => string; colour?: (tenant: Tenant) => Colour }[] = [
  { title: 'TENANT', of: ({ tenantId }) => tenantId, colour: () => 'bold' },
  { title: 'NAME', of: ({ name }) => printable(name) },
  { title: 'PLAN', of: ({ plan }) => plan },
  { title: 'STATE', of: ({ state }) => state, colour: ({ state }) => colourOf(state) },
  { title: 'MODEL', of: ({ placement }) => placement.model },
  { title: 'HOME', of: ({ placement }) => homeOf(placement) },
  { title: 'CREATED', of: ({ createdAt }) => minuteOf(createdAt) },
];

/** A table for a terminal, a line a tenant. */
export function formatTenants(tenants: readonly Tenant[], paint: Paint): string {
  if (tenants.length === 0) return paint('dim', 'No tenants.');
  const widths = columns.map(({ title, of }) => Math.max(title.length, ...tenants.map((tenant) => of(tenant).length)));
  // Padded before they are painted, since colours have a length but no width.
  const line = (cells: readonly string[], colours: readonly (Colour | undefined)[]): string =>
    cells
      .map((cell, at) => {
        const padded = at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0);
        const colour = colours[at];
        return colour === undefined ? padded : paint(colour, padded);
      })
      .join('  ');
  const header = line(
    columns.map(({ title }) => title),
    columns.map(() => 'dim'),
  );
  const rows = tenants.map((tenant) =>
    line(
      columns.map(({ of }) => of(tenant)),
      columns.map(({ colour }) => colour?.(tenant)),
    ),
  );
  return [header, ...rows, paint('dim', `${tenants.length} tenant${tenants.length === 1 ? '' : 's'}`)].join('\n');
}

/** One tenant for a terminal, a line a field. */
export function formatTenant(tenant: Tenant, paint: Paint): string {
  const { tenantId, name, plan, state, placement, createdAt, updatedAt } = tenant;
  const fields = {
    Tenant: paint('bold', tenantId),
    Name: printable(name),
    Plan: plan,
    State: paint(colourOf(state), state),
    Model: placement.model,
    Home: homeOf(placement),
    Created: createdAt,
    Updated: updatedAt,
  };
  return Object.entries(fields)
    .map(([label, value]) => `${paint('dim', label.padEnd(8))}  ${value}`)
    .join('\n');
}

const homeOf = ({ cluster, database, schema }: Tenant['placement']): string => `${cluster}/${database}/${schema}`;
const minuteOf = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');

/** A name is whatever somebody has chosen: what a terminal would obey is shown as a question mark. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

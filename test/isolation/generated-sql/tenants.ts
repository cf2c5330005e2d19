import { type Grammar, quote, type Scope } from './grammar.ts';

/** What a setting says the tenant is: the attacker, as the kernel has set it, until the statement changes it. */
const said = `current_setting('application_name')`;

/**
 * Says of the tenants of rows that two have the same, or that one is what a setting, a name or the kernel says, and changes meanwhile what the
 * setting says. What is equal to one of them is equal to all, so that a planner compares with whichever it likes.
 */
export function tenantCondition(g: Grammar, scope: Scope): string {
  const { dice, lore } = g;
  const tables = scope.filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'));
  if (tables.length === 0) return 'true';
  const tenant = () => `${dice.pick(tables).alias}.tenant_id`;
  const equality = () =>
    dice.weighted(
      [6, () => `${tenant()} = ${said}`],
      [3, () => `${tenant()} = ${tenant()}`],
      [1, () => `${tenant()} = ${quote(dice.pick(lore.tenantIds))}`],
      [1, () => `${tenant()} = tenancy.current_tenant(${quote(dice.pick(lore.schemas))})`],
    );
  // Of a column it is asked while that table is read, of none when all have been.
  const change = () =>
    `${dice.chance(75) ? tenant() : "''"} <> set_config('application_name', ${quote(dice.pick(lore.tenantIds))}, true)`;
  const parts = [...dice.list(3, equality), ...(dice.chance(75) ? [change()] : [])];
  return `(${parts.join(' and ')})`;
}

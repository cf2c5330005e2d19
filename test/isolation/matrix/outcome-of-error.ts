import { DatabaseError, TenantScopeError } from '../../../shared/database/index.ts';
import { NoTenantContextError } from '../../../shared/tenancy/index.ts';
import { canaryOf } from './rows.ts';

const words: Readonly<Record<string, string>> = {
  TN001: 'unset',
  TN003: 'expired',
  TN004: 'moved',
  TN005: 'suspended',
  TN006: 'moving',
  '42501': 'denied',
  '23503': 'orphan',
  TN010: 'not a query',
  '0A000': 'no copy',
};

/** The word of the expected tables for what was thrown. */
export function outcomeOfError(error: unknown, actor: string): string {
  const { message, detail, cause } = error as Error & { detail?: string };
  const text = [message, detail, (cause as Error | undefined)?.message].join(' ');
  const canaries = text.match(new RegExp(`${canaryOf('')}[a-z]+`, 'g')) ?? [];
  if (canaries.some((canary) => canary !== canaryOf(actor))) return `TOLD of another: ${text}`;
  if (error instanceof NoTenantContextError) return 'unset';
  if (error instanceof TenantScopeError) return 'mismatch';
  const code = error instanceof DatabaseError ? error.sqlState : (error as { code?: string }).code;
  return words[code ?? ''] ?? `failed with ${code}: ${text}`;
}

import type { AuditCase } from './audit-case.ts';
import { children } from './children.ts';
import { code } from './code.ts';
import { database as databaseCases } from './database.ts';
import { grants } from './grants.ts';
import { kernel } from './kernel.ts';
import { keys } from './keys.ts';
import { policies } from './policies.ts';
import { roles } from './roles.ts';
import { tables } from './tables.ts';
import { text } from './text.ts';
import { values } from './values.ts';

/** All cases of the audit, by what they plant. */
export const auditCases: readonly AuditCase[] = [
  ...tables,
  ...children,
  ...policies,
  ...keys,
  ...roles,
  ...grants,
  ...code,
  ...kernel,
  ...databaseCases,
  ...values,
  ...text,
];

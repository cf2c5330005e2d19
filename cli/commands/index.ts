import type { Command } from '../command.ts';
import { auditCommand } from './audit.ts';
import { auditLogCommand } from './audit-log.ts';
import { activateCommand, deleteCommand, exportCommand, planCommand, renameCommand, suspendCommand } from './change.ts';
import { cloneCommand } from './clone.ts';
import { completionCommand } from './completion.ts';
import { createCommand } from './create.ts';
import { impersonateCommand } from './impersonate.ts';
import { limitsCommand } from './limits.ts';
import { listCommand } from './list.ts';
import { migrateCommand } from './migrate.ts';
import { operationsCommand } from './operations.ts';
import { quotasCommand } from './quotas.ts';
import { runCommand } from './run.ts';
import { showCommand } from './show.ts';

/** What the operator can type, by name. */
export const commands: Readonly<Record<string, Command>> = {
  list: listCommand,
  show: showCommand,
  create: createCommand,
  clone: cloneCommand,
  plan: planCommand,
  limits: limitsCommand,
  rename: renameCommand,
  suspend: suspendCommand,
  activate: activateCommand,
  export: exportCommand,
  delete: deleteCommand,
  operations: operationsCommand,
  'audit-log': auditLogCommand,
  impersonate: impersonateCommand,
  run: runCommand,
  quotas: quotasCommand,
  migrate: migrateCommand,
  audit: auditCommand,
  completion: completionCommand(() => commands),
};

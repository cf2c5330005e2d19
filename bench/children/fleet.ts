import { resourceArn, secretArn } from '../data-api.ts';
import { databaseRoles, mainDatabase } from '../../shared/contract/index.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import type { Migration } from '../../shared/database/migrator.ts';

// A runner of its own, whose memory is its own. Prints what it took at most, in bytes.
const [files = '[]'] = process.argv.slice(2);
const execute = migrationConnection({ resourceArn, secretArn: secretArn(databaseRoles.owner), database: mainDatabase });
const report = await migrateFleet([{ name: 'main', execute }], JSON.parse(files) as Migration[]);
console.log(JSON.stringify({ done: report.done, maxRssBytes: process.resourceUsage().maxRSS * 1024 }));

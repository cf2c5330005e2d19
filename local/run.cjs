/* Starts a command, named by its place from here: node local/run.cjs <dev|token|../cli/tenant> [arguments].
 * Written so that any Node can read it, since it is what tells an old one that it is too old. */
'use strict';
var wanted = 24;
var major = Number(process.versions.node.split('.')[0]);
if (major < wanted) {
  console.error(
    'Node ' +
      process.versions.node +
      ' is too old: this needs Node ' +
      wanted +
      ' or newer. ' +
      'Run it through npm ("npm run dev"), which uses the Node that "npm ci" installs, or install a newer Node.',
  );
  process.exit(1);
}
// Half of the time of a short command is that of compiling: what was compiled is kept from one to the next.
require('node:module').enableCompileCache(require('node:path').join(__dirname, '../node_modules/.cache/compiled'));
var command = process.argv.splice(2, 1)[0];
require('./' + command + '.ts');

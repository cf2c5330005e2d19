import { readArguments, showFailure, UsageError } from './command-line.ts';
import { signToken } from './issuer/sign-token.ts';
import { demoTenants } from './demo.ts';
import { PortTakenError } from './gateway/server.ts';
import { type DataFolder, defaultDataDir, openDataFolder } from './stack/data-folder.ts';
import { endWithParent, onceAskedToStop } from './stack/endings.ts';
import { Progress } from './stack/progress.ts';
import { describeStack } from './stack/stack-file.ts';
import { requireFreePort } from './stack/require-free-port.ts';
import { startStack } from './stack/start-stack.ts';
import { writePrivately } from './stack/state-file.ts';
import { Stoppables } from './stack/stoppables.ts';
import { TemplateError } from './template/stack.ts';

const usage = 'usage: npm run dev -- [--port N] [--data DIR]     N = 0: any free port';

const print = (line: string): void => console.log(line);

/** Runs the local stack until it is told to stop. */
async function main(): Promise<void> {
  const { port, data } = readOptions();
  await requireFreePort(port);
  const stoppables = new Stoppables();
  onceAskedToStop(async () => {
    print('Stopping …');
    await stoppables.stop();
    process.exit(0);
  });
  endWithParent();
  try {
    const folder = await openDataFolder(data);
    await stoppables.add({ stop: () => folder.release() });
    await run(folder, port, stoppables);
  } catch (error) {
    if (stoppables.isStopping) return;
    await stoppables.stop();
    throw error;
  }
}

async function run(folder: DataFolder, port: number, stoppables: Stoppables): Promise<void> {
  print(`Starting the local stack with data in ${folder.path}`);
  const progress = new Progress(print);
  const onCrash = (server: string, how: string): void => void endAfterCrash(server, how, stoppables);
  const stack = await startStack({ folder, port, progress, print, stoppables, onCrash });
  await writePrivately(folder.file('stack.json'), `${JSON.stringify(describeStack(stack), null, 2)}\n`);
  print(`Started in ${progress.total().trim()}. Logs are in ${folder.file('logs')}`);
  print('');
  for (const { id, plan, state } of demoTenants) {
    const token = await signToken(folder.path, { tenant: id });
    print(`${id} (${plan}${state === 'active' ? '' : `, ${state}`})`);
    print(`  curl -H 'Authorization: Bearer ${token}' ${stack.apiUrl}/projects`);
  }
  print('');
  print(`control plane, for operators  ${stack.controlPlaneUrl}`);
  print(`ready  ${stack.apiUrl}`);
}

/** Ends the stack: what would go on without its database or cache only looks as if it ran. */
async function endAfterCrash(server: string, how: string, stoppables: Stoppables): Promise<void> {
  if (stoppables.isStopping) return;
  console.error(`${server} ended unexpectedly (${how}), and the stack ends with it. Run "npm run dev" again.`);
  await stoppables.stop();
  process.exit(1);
}

function readOptions(): { port: number; data: string } {
  const { values } = readArguments(usage, {
    options: { port: { type: 'string', default: '3000' }, data: { type: 'string', default: defaultDataDir } },
  });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new UsageError(`${values.port} is not a port.`);
  return { port, data: values.data };
}

main().catch((error: unknown) => {
  showFailure(error, usage, TemplateError, PortTakenError);
  process.exit(1);
});

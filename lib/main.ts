import { App } from 'aws-cdk-lib';
import { createApp } from './app.ts';
import { addChecks } from './checks.ts';
import { ConfigurationError, loadConfig } from './config.ts';

/** `-c stage=<name>`, which the CDK's command line hands over with the rest of the context. */
const stage: unknown = new App({ autoSynth: false }).node.tryGetContext('stage') ?? 'dev';
try {
  const app = createApp(loadConfig(String(stage)));
  addChecks(app);
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

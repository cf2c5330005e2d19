import { LambdaClient } from '@aws-sdk/client-lambda';
import { migrateFleetFunction } from './durable-function.ts';
import { goOnVia } from './runner.ts';

/** Goes on with what a deployment had no time for, started with `{ functionName, progress }`. */
export const handler = migrateFleetFunction(goOnVia(new LambdaClient()));

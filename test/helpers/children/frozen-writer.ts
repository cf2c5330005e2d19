import { DataApi } from '../../../shared/database/data-api.ts';

/**
 * A function that sends a write, stands still for longer than servers keep idle connections, and sends another one before it has heard
 * of anything: what Lambda does to a function between two requests.
 */
const [resourceArn = '', secretArn = '', database = '', standstillMs = ''] = process.argv.slice(2);
const dataApi = new DataApi();
const write = () => dataApi.execute({ resourceArn, secretArn, database }, 'select 1', {}, { twice: 'harmful' });

// Two at once, so that of two connections one is younger when the next write chooses.
await Promise.all([write(), write()]);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(standstillMs));
await Promise.all([write(), write()]);

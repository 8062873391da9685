import { parentPort } from 'node:worker_threads';
import { runSeed } from './explore.ts';
import type { SimulateOptions } from './simulate.ts';

parentPort?.on('message', (job: SimulateOptions) => {
  parentPort?.postMessage(runSeed(job));
});

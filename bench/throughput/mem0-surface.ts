import { existsSync } from 'node:fs';
import type { Bench } from '../measurement.ts';

const MEM0_LOCAL = new URL('../../packages/mem0-local', import.meta.url);

/** Reads through the mem0 surface beside mem0's own engine: to be written with that package. */
export const mem0Surface: Bench = {
  row: 'throughput-mem0',
  run: () => {
    if (existsSync(MEM0_LOCAL)) {
      throw new Error('packages/mem0-local is there, and nobody has written what measures it.');
    }
    return Promise.resolve([
      {
        row: 'throughput-mem0',
        what: 'read through the mem0 surface, against mem0-local read directly: by id, list of 100, repeated search, 10,000 records',
        bar: 'at least 1 x, 20 x, 20 x',
        measured: 'not measured: waits for packages/mem0-local (sixth issue)',
        met: false,
        numbers: {},
      },
    ]);
  },
};

import { encodeStoredEntry, entryKey } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import { GroupCommit } from '../../packages/node/src/disk/group-commit.ts';
import type { RecordOperation } from '../../packages/node/src/disk/group-commit.ts';
import { NodeStore } from '../../packages/node/src/disk/node-store.ts';

/**
 * Writes numbered batches until it is killed, and says each number once the store has said that
 * it is stored. Every batch puts a log record, an entry and a counter, all with its number; every
 * fifth asks for a sync.
 */
const [directory = '', first = '1'] = process.argv.slice(2);

/** Batches that may wait: a slow disk must not find all of them in one write. */
const WAITING_MAX = 200;

let stored = Number(first) - 1;
const store = await NodeStore.open(directory);
const commit = new GroupCommit({
  write: (operations, sync) => store.write(operations, sync),
  onStored: (ticket) => {
    stored = ticket;
    process.stdout.write(`${ticket}\n`);
  },
  onFailed: (ticket, problem) => {
    throw new Error(`Batch ${ticket} failed: ${problem}`);
  },
});

for (let number = Number(first); ; number += 1) {
  commit.append(number, batchOf(number), number % 5 === 0);
  if (number % 10 !== 0) continue;
  commit.flush();
  do await new Promise((resolve) => setImmediate(resolve));
  while (number - stored > WAITING_MAX);
}

function batchOf(number: number): readonly RecordOperation[] {
  const shard = (number % 8) as ShardId;
  const index = number.toString(16).padStart(14, '0');
  const state = new Uint8Array(300).fill(number);
  const entry = encodeStoredEntry({ at: { epoch: 1, index: number }, state });
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setFloat64(0, number);
  return [
    { kind: 'put', key: `shard/000${shard}/0/l/${index}`, value: state },
    { kind: 'put', key: entryKey(shard, 0, `acme\0${number}`), value: entry },
    { kind: 'put', key: 'node/counter', value: counter },
  ];
}

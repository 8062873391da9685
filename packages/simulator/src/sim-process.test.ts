import { Random } from '@memgrid/core';
import type { Instant, NodeEffect, NodeInput, NodeStatus } from '@memgrid/core';
import { expect, test } from 'vitest';
import { EntryDisk } from './entry-disk.ts';
import { EventQueue } from './event-queue.ts';
import type { WireFrame } from './frame-codec.ts';
import { SimClock } from './sim-clock.ts';
import { SimDisk } from './sim-disk.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import type { SimulatedMachine } from './sim-process.ts';
import { TraceHash } from './trace-hash.ts';
import type { ProcessEnd } from './world-event.ts';

/** Notes what it is told and when it wakes, and does what a test says. */
class Toy implements SimulatedMachine {
  readonly told: string[] = [];
  wakeAt: Instant | undefined;
  react: (input: NodeInput) => readonly NodeEffect[] = () => [];

  step(_now: Instant, input: NodeInput): readonly NodeEffect[] {
    if (input.kind === 'wallClock' || input.kind === 'load') return [];
    this.told.push(input.kind === 'stalled' ? `stalled ${input.stalledMs > 4_900}` : input.kind);
    return this.react(input);
  }

  wake(now: Instant): readonly NodeEffect[] {
    this.told.push('wake');
    this.wakeAt = (now + 1_000_000) as Instant;
    return [];
  }

  status(): NodeStatus {
    throw new Error('A toy has no status.');
  }
}

function rig() {
  const queue = new EventQueue(Random.of(1));
  const random = Random.of(1).split('process');
  const clock = new SimClock(() => queue.nowUs, 0);
  const after = (delayUs: number, run: () => void): void => queue.after(delayUs, run);
  const disk = new SimDisk({ random: random.split('disk'), after, tornBatches: 'discarded' });
  const network = new SimNetwork<WireFrame>(queue, random.split('network'));
  network.addHost('n1');
  const machine = new Toy();
  const ends: ProcessEnd[] = [];
  const process = new SimProcess({
    label: { node: 'n1', nodeId: '0'.repeat(32) as NodeStatus['nodeId'], process: 1 },
    address: 'n1:7700',
    machine,
    queue,
    network,
    disk,
    entries: new EntryDisk({ disk, random: random.split('loads'), after }),
    clock,
    random,
    codec: 'real',
    hash: new TraceHash(),
    observe: () => undefined,
    ended: (end) => ends.push(end),
  });
  process.start();
  const run = (ms: number): void => queue.runUntil(queue.nowUs + ms * 1000, () => false);
  run(10);
  return { clock, ends, machine, process, queue, run };
}

const anything = { kind: 'readIndex' } as const;

test.each([
  { how: 'a stalled', stand: 'stall' },
  { how: 'a stopped', stand: 'stop' },
] as const)('S8: $how process reads what arrived before its timers fire', ({ stand }) => {
  const { clock, machine, process, queue, run } = rig();
  machine.wakeAt = clock.monotonicAt(queue.nowUs + 1_000_000);
  process.request(1, anything);
  run(10);
  machine.told.length = 0;
  if (stand === 'stall') process.stall(5_000_000);
  else process.stop();
  run(3_000);
  process.request(2, anything);
  run(1_990);
  expect(machine.told).toEqual([]);
  run(20);
  process.resume();
  run(20);
  expect(machine.told).toEqual(['stalled true', 'request', 'wake']);
});

test('what the disk confirms comes back as an input, in a turn of its own', () => {
  const { machine, process, run } = rig();
  machine.react = (input) =>
    input.kind === 'request' ? [{ kind: 'store', ticket: 1, operations: [], durable: true }] : [];
  process.request(1, anything);
  run(100);
  expect(machine.told).toEqual(['request', 'stored']);
});

test('a process that halts does nothing more, and neither does a killed one', () => {
  const halting = rig();
  halting.machine.react = () => [{ kind: 'halt', code: 'left', detail: 'Bye.' }];
  halting.process.request(1, anything);
  halting.process.request(2, anything);
  halting.run(100);
  expect(halting.machine.told).toEqual(['request']);
  expect(halting.ends).toEqual([{ how: 'halted', code: 'left', detail: 'Bye.' }]);

  const killed = rig();
  killed.process.request(1, anything);
  killed.process.kill();
  killed.run(100);
  expect(killed.machine.told).toEqual([]);
  expect(killed.ends).toEqual([{ how: 'killed' }]);
});

test('a machine that throws ends its process, and the error is kept for the report', () => {
  const { ends, machine, process, run } = rig();
  const error = new Error('Impossible.');
  machine.react = () => {
    throw error;
  };
  process.request(1, anything);
  run(100);
  expect(ends).toEqual([{ how: 'faulted', error }]);
});

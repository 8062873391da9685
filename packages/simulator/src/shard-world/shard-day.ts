import type { ShardEvent } from '@memgrid/core';
import type { ReadLevel } from '@memgrid/protocol';
import type { Violation } from '../checker.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { checkLists } from '../history/list-check.ts';
import { checkRegisters } from '../history/linearizability.ts';
import { checkSessions } from '../history/session-check.ts';
import { listEverySet } from './list-client.ts';
import { ShardCall } from './shard-call.ts';
import type { CallEnd } from './shard-call.ts';
import type { FinishedCall } from './shard-client.ts';
import type { ShardsFactory } from './shard-host.ts';
import { NAMESPACE, textsOf } from './shard-keys.ts';
import type { WorldKey } from './shard-keys.ts';
import { replicasDiffer } from './replicas-differ.ts';
import type { ShardDayPlan } from './shard-tuning.ts';
import { ShardWorld } from './shard-world.ts';
import type { ShardTraceLine } from './shard-world.ts';

export interface ShardDayOptions {
  readonly seed: number;
  readonly plan: ShardDayPlan;
  readonly shards: ShardsFactory;
  readonly trace?: (line: ShardTraceLine) => void;
}

/** What a day among shards came to. Plain data. */
export interface ShardDayReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** How many calls ended how. */
  readonly calls: Readonly<Record<CallEnd['kind'], number>>;
  readonly epochs: number;
  readonly events: Readonly<Partial<Record<ShardEvent['name'], number>>>;
  readonly history: readonly HistoryEvent[];
  readonly simulatedMs: number;
}

/** The longest a call of a client can take, and then some. */
const CALLS_END_WITHIN_MS = 4_000;
const WHOLE_WITHIN_MS = 20_000;
const STEP_MS = 100;
const LAST_READ_TRIES = 40;

/** Faults, healing, a look at what became of everything. */
export function runShardDay(options: ShardDayOptions): ShardDayReport {
  const world = new ShardWorld(options);
  world.run(world.tuning.durationMs);
  for (const client of world.clients) client.stop();
  if (!world.isStopped) world.heal();
  waitUntil(world, CALLS_END_WITHIN_MS, () =>
    world.clients.some(({ isBusy }) => isBusy) ? 'calls-end' : undefined,
  );
  waitUntil(world, WHOLE_WITHIN_MS, () => replicasDiffer(world));
  if (!world.isStopped) readEverything(world);
  world.finish();
  judgeHistories(world);
  return reportOf(options.seed, world);
}

/** Waits until nothing is missing any more; what is missing at the end is a violation. */
function waitUntil(world: ShardWorld, withinMs: number, missing: () => string | undefined): void {
  const endMs = world.nowMs + withinMs;
  for (;;) {
    if (world.isStopped) return;
    const open = missing();
    if (open === undefined) return;
    if (world.nowMs >= endMs) {
      world.violated('whole-after-healing', `After ${withinMs} ms without faults: ${open}`);
      return;
    }
    world.run(STEP_MS);
  }
}

/**
 * Every key that was ever used is read once more: the histories then show what was lost, and an
 * entry that was written once and acknowledged must be there.
 */
function readEverything(world: ShardWorld): void {
  const keys = new Map<string, WorldKey>();
  for (const { key } of world.finishedCalls) {
    if (key.keyClass !== 'element') keys.set(`${key.shard}/${key.key}`, key);
  }
  const acknowledged = new Map<string, FinishedCall>();
  for (const call of world.finishedCalls) {
    if (call.key.keyClass !== 'ledger' || call.end.kind !== 'answered') continue;
    acknowledged.set(`${call.key.shard}/${call.key.key}`, call);
  }
  const surroundings = world.callSurroundings(world.random.split('last-reads'));
  const limits = { tries: LAST_READ_TRIES, timeoutMsMin: 200, timeoutMsMax: 400 };
  const { listers, shards } = world.tuning;
  let open = keys.size;
  if (listers > 0) {
    open += shards;
    const random = world.random.split('last-lists');
    const client = world.surroundings(world.executing(random.split('calls'), limits));
    listEverySet({ ...client, random, shards }, (shard, isComplete) => {
      open -= 1;
      if (isComplete) return;
      world.violated('whole-after-healing', `Shard ${shard} cannot be listed after healing.`);
    });
  }
  for (const [name, key] of keys) {
    const process = world.newProcess();
    const isRegister = key.keyClass === 'register';
    const level: ReadLevel = isRegister && process % 2 === 0 ? 'quorum' : 'strong';
    const begun = isRegister
      ? world.histories.register.begin({ process, f: 'read', key: name, level })
      : undefined;
    const beganMs = world.nowMs;
    const operation = {
      shard: key.shard,
      operationId: '',
      body: { kind: 'get', namespace: NAMESPACE, key: key.key },
      read: level,
      durability: 'quorum',
      sync: 'disk',
      noAutonomous: false,
      atLeast: 0,
    } as const;
    const ended = (end: CallEnd): void => {
      open -= 1;
      if (end.kind !== 'answered') {
        world.violated('whole-after-healing', `${name} cannot be read after healing.`);
        return;
      }
      const { result } = end.answer;
      const texts = result.kind === 'found' ? textsOf(result.found.entry) : null;
      const content = texts?.content ?? null;
      if (begun !== undefined) {
        const value = texts === null ? null : { ...texts };
        world.histories.register.end(begun, 'ok', { value });
      }
      const times = { beganMs, endedMs: world.nowMs };
      world.finished({ key, operation, content: undefined, expiresAt: 0, ...times, end });
      const written = acknowledged.get(name);
      if (written !== undefined && content !== written.content) {
        const { endedMs } = written;
        const message = `${name}: ${written.content} was acknowledged at ${endedMs} ms and is now ${content}.`;
        world.violated('acknowledged-writes-survive', message);
      }
    };
    new ShardCall(surroundings, operation, { limits, ended });
  }
  waitUntil(world, WHOLE_WITHIN_MS, () => (open === 0 ? undefined : `${open} reads are open.`));
}

function judgeHistories(world: ShardWorld): void {
  const verdict = checkRegisters(world.histories.register.events);
  if (verdict.kind === 'violation') {
    for (const { explanation } of verdict.violations) world.violated('linearizable', explanation);
  }
  for (const { key, explanation } of checkLists(world.histories.list.events)) {
    world.violated('lists-are-complete', `${key}: ${explanation}`);
  }
  for (const { kind, explanation } of checkSessions(world.histories.session.events)) {
    world.violated(kind === 'readYourWrites' ? 'read-your-writes' : 'monotonic-reads', explanation);
  }
}

function reportOf(seed: number, world: ShardWorld): ShardDayReport {
  const calls = { answered: 0, failed: 0, unknown: 0 };
  for (const { end } of world.finishedCalls) calls[end.kind] += 1;
  return {
    seed,
    violations: world.violations,
    calls,
    epochs: world.control.length,
    events: Object.fromEntries(world.events),
    history: world.histories.register.events,
    simulatedMs: world.nowMs,
  };
}

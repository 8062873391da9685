import { failedResult, shardOfEntry } from '@memgrid/protocol';
import type { EntryVersion, OperationResult } from '@memgrid/protocol';
import { Random } from '../random.ts';
import type { CallOutcome } from '../session/session-io.ts';
import { NOBODY, SessionRig } from './session-rig.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const WATCHED = 'a';
const SHARDS = 8;
const LEVELS = ['one', 'one', 'one', 'quorum', 'strong'] as const;
/** Records that a replica may lag. */
const LAG_MAX = 3;
/** Short, so that what is served too long is seen before the key changes again. */
const NEAR_STALENESS_MS = 150;
/** The same, and the longest two steps of a storm. */
const STALENESS_MS = NEAR_STALENESS_MS + 60;
/** What a node may answer instead, in a bad mood. */
const MOODS = ['NOT_PRIMARY', 'OVERLOADED', 'SHARD_UNAVAILABLE', 'QUORUM_UNREACHABLE'] as const;
/** Of these codes it is known that nothing was done. */
const CERTAIN: readonly string[] = [
  'NOT_CONNECTED',
  'OVERLOADED',
  'NOT_PRIMARY',
  'SHARD_UNAVAILABLE',
  'VERSION_CONFLICT',
];

/** What a record of a key was shown to this session, and when. */
interface Shown {
  readonly key: string;
  readonly index: number;
  readonly at: number;
}

/**
 * One day of a session: calls of its own, writes of others, a watch, and nodes that die, fall
 * silent, lag, refuse, forget to answer and skip changes.
 *
 * @returns what was not as promised, one sentence each.
 */
export function sessionStorm(seed: number, steps = 150): readonly string[] {
  const storm = new Storm(seed);
  storm.run(steps);
  return storm.problems();
}

class Storm {
  readonly #rig: SessionRig;
  readonly #random: Random;
  readonly #problems: string[] = [];
  /** The value of each write of this session, by call. */
  readonly #writes = new Map<number, { readonly key: string; readonly value: number }>();
  readonly #reads = new Map<number, string>();
  readonly #begunAt = new Map<number, number>();
  readonly #shown: Shown[] = [];
  /** How long each log was at which time. */
  readonly #lengths: { readonly at: number; readonly lengths: readonly number[] }[] = [];
  #value = 0;

  constructor(seed: number) {
    this.#random = Random.of(seed);
    this.#rig = new SessionRig({
      seed,
      nearCache: true,
      nodes: 3,
      shardCount: SHARDS,
      config: { nearStalenessMs: NEAR_STALENESS_MS },
    });
    this.#rig.onOutcome = (call, outcome) => this.#ended(call, outcome);
  }

  run(steps: number): void {
    const rig = this.#rig;
    rig.watch(1, { scope: NOBODY, key: WATCHED });
    rig.advance(100);
    for (let at = 0; at < steps; at += 1) {
      this.#act();
      this.#noteLengths();
      rig.advance(this.#random.between(0, 30));
    }
    this.#heal();
    rig.advance(20_000);
    // What a node skipped shows with the changes after it, so there have to be some.
    for (let at = 0; at < 20; at += 1) {
      rig.writeElsewhere(WATCHED, this.#nextValue());
      rig.advance(500);
    }
    rig.advance(3_000);
  }

  problems(): readonly string[] {
    const rig = this.#rig;
    for (const call of this.#begunAt.keys()) {
      const count = rig.outcomeCounts.get(call) ?? 0;
      if (count !== 1) this.#problem(`Call ${call} had ${count} outcomes.`);
    }
    for (const [call, write] of this.#writes) this.#checkWrite(call, write);
    this.#checkWatch();
    const { phase, waitingCalls, waitingBytes } = rig.session.status;
    if (phase !== 'ready' || waitingCalls !== 0 || waitingBytes !== 0) {
      this.#problem(
        `At the end it is ${phase}, with ${waitingCalls} calls, ${waitingBytes} bytes.`,
      );
    }
    return this.#problems;
  }

  #act(): void {
    const rig = this.#rig;
    const random = this.#random;
    const key = random.pick(KEYS) ?? WATCHED;
    const roll = random.below(100);
    if (roll < 30) {
      const value = this.#nextValue();
      const timeoutMs = random.between(50, 3_000);
      const call = rig.put(key, value, { timeoutMs });
      this.#writes.set(call, { key, value });
      this.#begin(call);
    } else if (roll < 40) rig.writeElsewhere(key, this.#nextValue());
    else if (roll < 80) {
      const read = random.pick(LEVELS) ?? 'one';
      const begunAt = rig.now;
      const call = rig.get(key, { read, timeoutMs: random.between(50, 3_000) }, (id) => {
        this.#reads.set(id, key);
        this.#begunAt.set(id, begunAt);
      });
      this.#begin(call);
    } else this.#fault(roll, random.below(3));
  }

  #fault(roll: number, place: number): void {
    const rig = this.#rig;
    const random = this.#random;
    const node = rig.grid.node(place);
    if (roll < 84) rig.kill(place);
    else if (roll < 90) rig.revive(place);
    else if (roll < 91) for (const link of rig.linksTo(place)) rig.mute.add(link);
    else if (roll < 93) node.lag = random.below(LAG_MAX + 1);
    else if (roll < 95) rig.latencyMs[place] = random.between(0.1, 80);
    else if (roll < 96) {
      // It skips changes by mistake: the session must notice with the next one. For a near cache that
      // may be too late, and nobody could tell.
      for (const feed of node.feeds.values()) if (!feed.open.keysOnly) feed.told += 1;
    } else if (roll < 97) this.#forgetChanges();
    else if (roll < 98) {
      rig.grid.moveShard(random.below(SHARDS), place);
      for (const to of [0, 1, 2]) rig.tellPlacement(to);
    } else node.gate = this.#mood();
  }

  /** While nobody listens a key changes more often than a replica lags, and the node forgets it. */
  #forgetChanges(): void {
    const rig = this.#rig;
    for (const place of [0, 1, 2]) for (const link of rig.linksTo(place)) rig.cut(link);
    const key = this.#random.pick(KEYS) ?? WATCHED;
    for (let at = 0; at <= LAG_MAX; at += 1) rig.writeElsewhere(key, this.#nextValue());
    const shard = shardOf(key);
    rig.grid.forgetFeedsBelow(shard, rig.grid.shard(shard).log.length);
  }

  #mood(): () => OperationResult | 'silence' | undefined {
    const random = this.#random.split(`mood ${this.#value}`);
    return () => {
      const roll = random.below(10);
      if (roll < 5) return undefined;
      return roll < 7 ? 'silence' : failureOf(random.pick(MOODS) ?? 'OVERLOADED');
    };
  }

  #heal(): void {
    for (const node of this.#rig.grid.nodes) {
      node.gate = () => undefined;
      node.lag = 0;
      this.#rig.revive(node.place);
    }
  }

  #begin(call: number): void {
    if (!this.#begunAt.has(call)) this.#begunAt.set(call, this.#rig.now);
  }

  /** One byte carries it: a storm writes less often than that. */
  #nextValue(): number {
    this.#value += 1;
    return this.#value;
  }

  /** A read at any level shows nothing older than what had been shown before it began. */
  #ended(call: number, outcome: CallOutcome): void {
    const key = this.#writes.get(call)?.key ?? this.#reads.get(call);
    if (key === undefined || outcome.kind === 'failed') return;
    const index = indexShown(key, outcome);
    const begunAt = this.#begunAt.get(call) ?? this.#rig.now;
    const seen = this.#shown.find(
      (before) => before.key === key && before.at < begunAt && before.index > index,
    );
    if (seen !== undefined) {
      this.#problem(`Call ${call} went back from record ${seen.index} of ${key} to ${index}.`);
    }
    this.#shown.push({ key, index, at: this.#rig.now });
    if (outcome.kind === 'near') this.#checkAge(call, key, index);
    else this.#checkPeek(call, key, index);
  }

  /** Whoever was just answered finds nothing older in this process. */
  #checkPeek(call: number, key: string, index: number): void {
    const { session, now } = this.#rig;
    const near = session.near(NOBODY.namespace, key, now);
    if (near === undefined || recordOf(key, near.found.version) >= index) return;
    this.#problem(`After call ${call} the near cache went back from record ${index} of ${key}.`);
  }

  #noteLengths(): void {
    const { grid, now } = this.#rig;
    const lengths = Array.from({ length: SHARDS }, (_, shard) => grid.shard(shard).log.length);
    this.#lengths.push({ at: now, lengths });
  }

  /** The near cache serves what the primary had within the bound. */
  #checkAge(call: number, key: string, index: number): void {
    const shard = shardOf(key);
    const known = this.#lengths.findLast(({ at }) => at <= this.#rig.now - STALENESS_MS);
    const length = known?.lengths[shard] ?? 0;
    const due = this.#rig.grid
      .shard(shard)
      .log.findLast((record) => record.key === key && record.index <= length);
    if (due !== undefined && due.index > index) {
      this.#problem(`Call ${call} was answered with record ${index}, older than the bound.`);
    }
  }

  #checkWrite(call: number, { key, value }: { key: string; value: number }): void {
    const { grid, outcomes } = this.#rig;
    const outcome = outcomes.get(call);
    const { log } = grid.shard(shardOf(key));
    const count = log.filter((it) => it.key === key && it.entry[0] === value).length;
    if (count > 1) this.#problem(`Write ${call} was carried out ${count} times.`);
    if (outcome?.kind === 'answered' && count !== 1) {
      this.#problem(`Write ${call} was answered and is not there.`);
    }
    if (outcome?.kind !== 'failed' || outcome.applied !== 'no') return;
    if (count !== 0) this.#problem(`Write ${call} was said not to be applied, and was.`);
    if (!CERTAIN.includes(outcome.code)) {
      this.#problem(`Write ${call} ended with ${outcome.code}, which is not certain.`);
    }
  }

  /** In order, nothing twice, and nothing missing unless a gap says so. */
  #checkWatch(): void {
    const expected = this.#rig.grid
      .shard(shardOf(WATCHED))
      .log.filter((record) => record.key === WATCHED)
      .map((record) => record.index);
    let at = expected.indexOf(this.#firstSeen() ?? -1);
    let afterGap = true;
    for (const effect of this.#rig.effects) {
      if (effect.kind === 'gap') afterGap = true;
      if (effect.kind !== 'changes') continue;
      for (const { index } of effect.changes) {
        if (afterGap) at = expected.indexOf(index, Math.max(0, at));
        afterGap = false;
        if (at < 0 || expected[at] !== index) {
          this.#problem(`The watch showed record ${index} where ${expected[at]} was due.`);
          return;
        }
        at += 1;
      }
    }
    if (!afterGap && at < expected.length) this.#problem('The watch ended before the log did.');
  }

  #firstSeen(): number | undefined {
    const first = this.#rig.effects.find((effect) => effect.kind === 'changes');
    return first?.kind === 'changes' ? first.changes[0]?.index : undefined;
  }

  #problem(sentence: string): void {
    this.#problems.push(sentence);
  }
}

function shardOf(key: string): number {
  return shardOfEntry({ ...NOBODY, key }, SHARDS);
}

/** Which of the key's records an outcome shows; 0 for none. */
function indexShown(key: string, outcome: Exclude<CallOutcome, { kind: 'failed' }>): number {
  const result = outcome.kind === 'near' ? outcome : outcome.answer.result;
  const version =
    'found' in result ? result.found.version : 'version' in result ? result.version : undefined;
  return version === undefined ? 0 : recordOf(key, version);
}

function recordOf(key: string, { dot }: EntryVersion): number {
  return dot.counter - shardOf(key) * 1_000_000;
}

function failureOf(code: (typeof MOODS)[number]): OperationResult {
  switch (code) {
    case 'NOT_PRIMARY':
      return failedResult(code, { shard: 0, hint: undefined });
    case 'OVERLOADED':
      return failedResult(code, { waiting: 1, max: 1 });
    case 'SHARD_UNAVAILABLE':
      return failedResult(code, { shard: 0, problem: 'Not today.' }, { applied: 'no' });
    case 'QUORUM_UNREACHABLE':
      return failedResult(code, { acked: 1, needed: 2 });
  }
}

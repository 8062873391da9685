import { actorAt, actorBytes, type SeenActor } from '../causality/actor-in-place.ts';
import type { Sibling } from '../causality/dotted-version-set.ts';
import type { Dot } from '../causality/version-vector.ts';
import { LIMITS } from '../limits.ts';
import { bytesLengthAt, countAt, NOT_USUAL, writeBytesHead, writeCount } from '../wire/in-place.ts';
import { bytesHeaderBytes, numberBytes } from '../wire/msgpack.ts';
import type { StoredWrite } from './entry.ts';

/**
 * The usual state of a key, looked at where it lies: one write, with nothing beside it. It is the
 * state of nearly every key at nearly all times; all others are decoded.
 *
 *     [[[dot, [kind, [ms, counter], expiresAt, autonomous, entry]]], [dot, ...]]
 *
 * A dot is `[[node, epoch], counter]`.
 */
export interface SoleWrite {
  /** Its `entry` is a view of `state`. */
  readonly sibling: Sibling<StoredWrite>;
  readonly state: Uint8Array;
  /** Where the dots of the context begin, and how many there are. */
  readonly dotsAt: number;
  readonly dots: number;
}

const LIST_1 = 0x91;
const LIST_2 = 0x92;
const LIST_5 = 0x95;
const LIST_15 = 0x9f;
const FALSE = 0xc2;
const TRUE = 0xc3;
/** Of a list of fewer than 16. */
const COUNT_MASK = 0x0f;
/** The heads of four lists: the set, its siblings, the sibling, its dot. */
const ACTOR_AT = 4;

const KINDS: readonly (StoredWrite['kind'] | undefined)[] = [undefined, 'put', 'update', 'delete'];
const MS_MAX = 2 ** 48 - 1;
const TICK_MAX = 0xffff;

/**
 * The only write that a key has.
 *
 * Undefined for several, for none, and for whatever an encoder of this version does not write: the
 * bytes that it accepts are exactly those that `entryStateField` makes of what it reads.
 */
export function soleWriteIn(state: Uint8Array): SoleWrite | undefined {
  if (state[0] !== LIST_2 || state[1] !== LIST_1 || state[2] !== LIST_2 || state[3] !== LIST_2) {
    return undefined;
  }
  const by = actorAt(state, ACTOR_AT);
  if (by === undefined) return undefined;
  let at = ACTOR_AT + by.bytes.length;
  const counter = countAt(state, at);
  if (counter < 1) return undefined;
  at += numberBytes(counter);
  const kind = KINDS[state[at + 1] as number];
  if (state[at] !== LIST_5 || kind === undefined || state[at + 2] !== LIST_2) return undefined;
  at += 3;
  const ms = countAt(state, at);
  if (ms < 0 || ms > MS_MAX) return undefined;
  at += numberBytes(ms);
  const tick = countAt(state, at);
  if (tick < 0 || tick > TICK_MAX) return undefined;
  at += numberBytes(tick);
  const expiresAt = countAt(state, at);
  if (expiresAt < 0) return undefined;
  at += numberBytes(expiresAt);
  const flag = state[at];
  if (flag !== TRUE && flag !== FALSE) return undefined;
  const length = bytesLengthAt(state, at + 1);
  if (length < 0 || length > LIMITS.entryBytesMax) return undefined;
  const entryAt = at + 1 + bytesHeaderBytes(length);
  at = entryAt + length;
  const dots = dotsAt(state, at, { by, counter });
  if (dots < 0) return undefined;
  const value: StoredWrite = {
    kind,
    timestamp: { ms, counter: tick },
    expiresAt,
    autonomous: flag === TRUE,
    entry: state.subarray(entryAt, at),
  };
  const sibling = { dot: { actor: by.actor, counter }, value };
  return { sibling, state, dotsAt: at + 1, dots };
}

/**
 * How many dots the context at `at` has: in order of their actors, the given one covered by them,
 * and nothing behind them. Otherwise `NOT_USUAL`.
 */
function dotsAt(
  state: Uint8Array,
  start: number,
  covered: { readonly by: SeenActor; readonly counter: number },
): number {
  const head = state[start] as number;
  if (!(head >= LIST_1 && head <= LIST_15)) return NOT_USUAL;
  const count = head & COUNT_MASK;
  let at = start + 1;
  let isCovered = false;
  let before: SeenActor | undefined;
  for (let i = 0; i < count; i++) {
    const by = state[at] === LIST_2 ? actorAt(state, at + 1) : undefined;
    if (by === undefined || (before !== undefined && by.actor <= before.actor)) return NOT_USUAL;
    at += 1 + by.bytes.length;
    const counter = countAt(state, at);
    if (counter < 1) return NOT_USUAL;
    at += numberBytes(counter);
    if (by.actor === covered.by.actor) isCovered = covered.counter <= counter;
    before = by;
  }
  return isCovered && at === state.length ? count : NOT_USUAL;
}

/** A write that replaces whatever its key has: `StoredWrite` without the bytes of its entry. */
export interface NewWrite extends Omit<StoredWrite, 'entry'> {
  readonly dot: Dot;
  readonly entryBytes: number;
}

/** The state of a key whose new entry is still to be written into it. */
export interface StateDraft {
  readonly state: Uint8Array;
  /** Where the `entryBytes` of the entry belong. */
  readonly entryAt: number;
}

/**
 * The state that a write leaves which replaces all that was there, as `writeSetBlind` and
 * `entryStateField` make it, in one piece of memory.
 *
 * @param before what was there; undefined for a key that was never written.
 * @returns undefined for anything out of the ordinary, a mistake among it: then those two decide.
 */
export function draftState(before: SoleWrite | undefined, write: NewWrite): StateDraft | undefined {
  const plan = planState(before, write);
  if (plan === undefined) return undefined;
  const state = new Uint8Array(plan.bytes);
  writeState(state, 0, plan);
  return { state, entryAt: plan.headBytes };
}

/** A state that is not written yet. */
export interface StatePlan {
  readonly write: NewWrite;
  readonly bytes: number;
  /** What stands before the entry. */
  readonly headBytes: number;
  readonly actor: Uint8Array;
  readonly seam: Seam;
}

/** What `draftState` would write; undefined where it would write nothing. */
export function planState(before: SoleWrite | undefined, write: NewWrite): StatePlan | undefined {
  if (!isUsual(write)) return undefined;
  const { dot, timestamp, expiresAt, entryBytes } = write;
  const actor = actorBytes(dot.actor);
  const seam = before === undefined ? NOTHING_BEFORE : seamFor(before, dot);
  if (seam === undefined) return undefined;
  const dotBytes = actor.length + numberBytes(dot.counter);
  const headBytes =
    ACTOR_AT +
    dotBytes +
    3 +
    numberBytes(timestamp.ms) +
    numberBytes(timestamp.counter) +
    numberBytes(expiresAt) +
    1 +
    bytesHeaderBytes(entryBytes);
  const othersBytes = seam.from - seam.begin + (seam.end - seam.to);
  const bytes = headBytes + entryBytes + 1 + 1 + dotBytes + othersBytes;
  return { write, bytes, headBytes, actor, seam };
}

/** Writes all of a state but its entry, from `start` on. */
export function writeState(to: Uint8Array, start: number, plan: StatePlan): void {
  const { write, headBytes, actor, seam } = plan;
  writeHead(to, start, plan);
  let at = start + headBytes + write.entryBytes;
  to[at++] = LIST_1 - 1 + seam.count;
  at = copy(to, at, { from: seam.source, begin: seam.begin, end: seam.from });
  to[at++] = LIST_2;
  at = copy(to, at, { from: actor, begin: 0, end: actor.length });
  at = writeCount(to, at, write.dot.counter);
  copy(to, at, { from: seam.source, begin: seam.to, end: seam.end });
}

function isUsual({ dot, kind, timestamp, expiresAt, entryBytes }: NewWrite): boolean {
  return (
    isCount(dot.counter, Number.MAX_SAFE_INTEGER) &&
    dot.counter > 0 &&
    KINDS.includes(kind) &&
    isCount(timestamp.ms, MS_MAX) &&
    isCount(timestamp.counter, TICK_MAX) &&
    isCount(expiresAt, Number.MAX_SAFE_INTEGER) &&
    entryBytes <= LIMITS.entryBytesMax
  );
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

/** Between which bytes of an old context the new dot belongs. */
interface Seam {
  readonly source: Uint8Array;
  /** Dots of actors before its own lie from `begin` to `from`, those after it from `to` to `end`. */
  readonly begin: number;
  readonly from: number;
  readonly to: number;
  readonly end: number;
  /** Dots with the new one. */
  readonly count: number;
}

const NOTHING_BEFORE: Seam = {
  source: new Uint8Array(),
  begin: 0,
  from: 0,
  to: 0,
  end: 0,
  count: 1,
};

function seamFor({ state, dotsAt: begin, dots }: SoleWrite, dot: Dot): Seam | undefined {
  const end = state.length;
  let at = begin;
  for (let i = 0; i < dots; i++) {
    const by = actorAt(state, at + 1);
    if (by === undefined) return undefined;
    const counter = countAt(state, at + 1 + by.bytes.length);
    const to = at + 1 + by.bytes.length + numberBytes(counter);
    if (by.actor === dot.actor) {
      // A dot that was seen before: a mistake, told by those who decode.
      if (counter >= dot.counter) return undefined;
      return { source: state, begin, from: at, to, end, count: dots };
    }
    if (by.actor > dot.actor) break;
    at = to;
  }
  if (dots >= COUNT_MASK) return undefined;
  return { source: state, begin, from: at, to: at, end, count: dots + 1 };
}

function writeHead(to: Uint8Array, start: number, { write, actor }: StatePlan): void {
  const { dot, kind, timestamp, expiresAt, autonomous, entryBytes } = write;
  to[start] = LIST_2;
  to[start + 1] = LIST_1;
  to[start + 2] = LIST_2;
  to[start + 3] = LIST_2;
  let at = copy(to, start + ACTOR_AT, { from: actor, begin: 0, end: actor.length });
  at = writeCount(to, at, dot.counter);
  to[at] = LIST_5;
  to[at + 1] = KINDS.indexOf(kind);
  to[at + 2] = LIST_2;
  at = writeCount(to, at + 3, timestamp.ms);
  at = writeCount(to, at, timestamp.counter);
  at = writeCount(to, at, expiresAt);
  to[at] = autonomous ? TRUE : FALSE;
  writeBytesHead(to, at + 1, entryBytes);
}

/** A few bytes, for which `set` would first need a view. Where the next ones belong. */
function copy(
  to: Uint8Array,
  at: number,
  { from, begin, end }: { readonly from: Uint8Array; readonly begin: number; readonly end: number },
): number {
  for (let i = begin; i < end; i++) to[at + i - begin] = from[i] as number;
  return at + end - begin;
}

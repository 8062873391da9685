import { ABSENT, partsLeftBy, partsOf, stateAfter } from './register-operation.ts';
import type { RegisterOperation, RegisterState } from './register-operation.ts';

/** Whether some order explains a register's operations. */
export type RegisterSearch =
  | { readonly kind: 'valid'; readonly steps: number }
  /** Everything up to the end of `stuck` excludes every order; without that end it does not. */
  | {
      readonly kind: 'violation';
      readonly steps: number;
      readonly stuck: RegisterOperation;
      /** All that the register can have held when `stuck` ended. */
      readonly states: readonly RegisterState[];
    }
  /** The budget is spent, and nothing is known. */
  | { readonly kind: 'unknown'; readonly steps: number };

/** What is known right before an operation ends. */
interface Moment {
  readonly ending: number;
  /** Operations that began and have not ended, the ending one first, unknown outcomes last. */
  readonly pending: readonly number[];
}

/** One way in which things can have gone until now. */
interface Configuration {
  /** Index of the next moment. */
  readonly moment: number;
  /** A bit for the slot of each pending operation that has already taken effect. */
  readonly effective: bigint;
  readonly state: RegisterState;
}

/**
 * Searches for an order in which the operations of one register, each taking effect at one point
 * between its beginning and its end, explain every answer. See DESIGN.md, Y1 to Y4.
 *
 * @param operations of one register, in the order of invocation.
 * @param stepsMax configurations that are looked at before giving up.
 */
export function searchRegister(
  operations: readonly RegisterOperation[],
  stepsMax: number,
): RegisterSearch {
  const search = new Search(withoutUnseen(operations));
  return search.run(stepsMax);
}

class Search {
  readonly #operations: readonly RegisterOperation[];
  readonly #moments: readonly Moment[];
  readonly #bits: readonly bigint[];
  /** Of each operation, whether it overwrites whatever was there and nobody saw what it left. */
  readonly #unseen: readonly boolean[];
  /** Per moment, the configurations that were looked at. */
  readonly #seen: Set<string>[];
  readonly #patched = new Map<RegisterOperation, Map<RegisterState, RegisterState>>();
  #furthest = 0;

  constructor(operations: readonly RegisterOperation[]) {
    this.#operations = operations;
    this.#bits = slotBits(operations);
    this.#moments = momentsOf(operations);
    const sightings = new Sightings(operations);
    this.#unseen = operations.map(
      (operation) =>
        operation.sees === undefined &&
        operation.leaves !== undefined &&
        sightings.lastOf(operation) <= operation.from,
    );
    this.#seen = this.#moments.map(() => new Set());
  }

  run(stepsMax: number): RegisterSearch {
    let steps = 0;
    const stack: Configuration[] = [this.#withReads({ moment: 0, effective: 0n, state: ABSENT })];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const moment = this.#moments[at.moment];
      if (moment === undefined) return { kind: 'valid', steps };
      const name = `${at.effective.toString(36)} ${at.state}`;
      const seen = this.#seen[at.moment];
      if (seen?.has(name) === true) continue;
      if (steps >= stepsMax) return { kind: 'unknown', steps };
      steps += 1;
      seen?.add(name);
      this.#furthest = Math.max(this.#furthest, at.moment);
      this.#push(stack, at, moment);
    }
    return this.#violation(steps);
  }

  #push(stack: Configuration[], at: Configuration, moment: Moment): void {
    const endingBit = this.#bits[moment.ending] ?? 0n;
    if ((at.effective & endingBit) !== 0n) {
      // The slot becomes free: it may belong to somebody else from the next moment on.
      const effective = at.effective & ~endingBit;
      stack.push(this.#withReads({ ...at, moment: at.moment + 1, effective }));
      return;
    }
    const twins = new Set<string>();
    const next: Configuration[] = [];
    for (const index of moment.pending) {
      const operation = this.#operations[index];
      const bit = this.#bits[index] ?? 0n;
      if (operation === undefined || (at.effective & bit) !== 0n) continue;
      const state = this.#after(operation, at.state);
      if (state === undefined) continue;
      if (operation.to === Infinity) {
        // Using up an unknown outcome for no change, or the later of two equal ones, explains
        // nothing that keeping it would not.
        const twin = `${operation.f} ${operation.sees} ${state}`;
        if (state === at.state || twins.has(twin)) continue;
        twins.add(twin);
      }
      const overwrites = operation.sees === undefined && operation.leaves !== undefined;
      const hidden = overwrites ? this.#hidden(moment) : 0n;
      const effective = at.effective | bit | hidden;
      next.push(this.#withReads({ moment: at.moment, effective, state }));
    }
    stack.push(...next.toReversed());
  }

  /** As `stateAfter`; a patch is merged once for each state and not for each configuration. */
  #after(operation: RegisterOperation, state: RegisterState): RegisterState | undefined {
    if (operation.patch === undefined) return stateAfter(operation, state);
    const ofOperation = this.#patched.get(operation) ?? new Map<RegisterState, RegisterState>();
    this.#patched.set(operation, ofOperation);
    const known = ofOperation.get(state);
    if (known !== undefined) return known;
    const made = stateAfter(operation, state);
    if (made !== undefined) ofOperation.set(state, made);
    return made;
  }

  /**
   * The pending operations that an overwriting one hides by coming right after them. Nobody misses
   * what they left, so to take effect here explains whatever a later moment would.
   */
  #hidden(moment: Moment): bigint {
    return moment.pending.reduce(
      (bits, index) => (this.#unseen[index] === true ? bits | (this.#bits[index] ?? 0n) : bits),
      0n,
    );
  }

  /** A pending read that saw the present state takes effect now: waiting can only harm it. */
  #withReads(at: Configuration): Configuration {
    let { effective } = at;
    for (const index of this.#moments[at.moment]?.pending ?? []) {
      const operation = this.#operations[index];
      if (operation?.f === 'read' && operation.sees === at.state) {
        effective |= this.#bits[index] ?? 0n;
      }
    }
    return { ...at, effective };
  }

  #violation(steps: number): RegisterSearch {
    const stuck = this.#operations[this.#moments[this.#furthest]?.ending ?? -1];
    // Without moments there is nothing to explain, and the first configuration is the end.
    if (stuck === undefined) return { kind: 'valid', steps };
    const names = [...(this.#seen[this.#furthest] ?? [])];
    const states = new Set(names.map((name) => name.slice(name.indexOf(' ') + 1)));
    return { kind: 'violation', steps, stuck, states: [...states].toSorted() };
  }
}

/**
 * Without the unknown outcomes whose effect nobody can have seen.
 *
 * Nothing that happened between such an effect and the next one depends on it, so "it never
 * happened" explains whatever "it happened" explains. With written values that are unique, this is
 * most of them, and each would otherwise double the search.
 */
function withoutUnseen(operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  let kept = operations;
  // Without one cas of unknown outcome, what it compared with may be unseen as well.
  for (let before = -1; before !== kept.length;) {
    before = kept.length;
    const sightings = new Sightings(kept);
    kept = kept.filter(
      (operation) =>
        operation.to !== Infinity ||
        operation.f === 'read' ||
        sightings.lastOf(operation) > operation.from,
    );
  }
  return kept;
}

/** When what operations left was last seen by anybody, as a whole or in parts. */
class Sightings {
  readonly #lastSeen = new Map<string, number>();
  /** Until then there may have been a patch, which sees that there was something to patch. */
  readonly #patchedUntil: number;

  constructor(operations: readonly RegisterOperation[]) {
    for (const { sees, to } of operations) {
      if (sees === undefined) continue;
      for (const part of partsOf(sees)) {
        this.#lastSeen.set(part, Math.max(this.#lastSeen.get(part) ?? 0, to));
      }
    }
    // One of unknown outcome that came after it was last seen explains nothing: it need not be.
    this.#patchedUntil = operations
      .filter(({ patch }) => patch !== undefined)
      .reduce((until, one) => Math.max(until, one.to === Infinity ? this.lastOf(one) : one.to), 0);
  }

  /** When the last operation ended that may depend on what this one left; 0 for never. */
  lastOf(operation: RegisterOperation): number {
    const { leaves } = operation;
    const parts = partsLeftBy(operation).map((part) => this.#lastSeen.get(part) ?? 0);
    const isThere = leaves !== undefined && leaves !== ABSENT;
    return Math.max(0, isThere ? this.#patchedUntil : 0, ...parts);
  }
}

/** A bit for each operation that no other has while it is pending. */
function slotBits(operations: readonly RegisterOperation[]): readonly bigint[] {
  const free: number[] = [];
  const busy: { readonly to: number; readonly slot: number }[] = [];
  let slots = 0;
  return operations.map(({ from, to }) => {
    for (let at = busy.length - 1; at >= 0; at -= 1) {
      const held = busy[at];
      if (held === undefined || held.to > from) continue;
      free.push(held.slot);
      busy.splice(at, 1);
    }
    const slot = free.pop() ?? slots++;
    if (to !== Infinity) busy.push({ to, slot });
    return 1n << BigInt(slot);
  });
}

function momentsOf(operations: readonly RegisterOperation[]): readonly Moment[] {
  const endings = operations
    .map(({ to }, index) => ({ to, index }))
    .filter(({ to }) => to !== Infinity)
    .toSorted((a, b) => a.to - b.to);
  let pending: number[] = [];
  let begun = 0;
  return endings.map(({ to, index: ending }) => {
    while ((operations[begun]?.from ?? Infinity) < to) {
      pending.push(begun);
      begun += 1;
    }
    const order = (index: number): number =>
      index === ending ? -1 : (operations[index]?.to ?? Infinity);
    // Two infinities differ by NaN, which is no order.
    const sorted = pending.toSorted((a, b) =>
      order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : a - b,
    );
    pending = pending.filter((index) => index !== ending);
    return { ending, pending: sorted };
  });
}

import { broken } from '#breaks';
import type { NodeId, Timestamp } from '@memgrid/protocol';
import { invariant } from '../assert.ts';

/** Every number of the hybrid clock, with the reason beside it. All milliseconds. */
export const HYBRID_CLOCK = {
  /** A remote clock this far ahead is reported: NTP keeps healthy hosts well below it. */
  remoteAheadReportedMs: 500,
  /** The farthest that a remote reading may pull this clock beyond the local wall clock. */
  remoteAheadFollowedMsMax: 5_000,
  /** Beyond this a reading is refused altogether (YugabyteDB draws the same line). */
  remoteAheadRefusedMs: 60_000,
  /** The bound on disk is renewed this often … */
  boundRenewalMs: 1_000,
  /** … this far ahead, so that two missed renewals do not stop the clock. */
  boundAheadMs: 3_000,
  /**
   * A bound is never this far beyond the wall clock: a node that restarts again and again begins at
   * one bound after the other, and three seconds each would soon make its clock suspect to others.
   */
  boundAheadMsMax: 8_000,
  /** Room for the counter to overflow into, where the clock is that far ahead already. */
  boundSlackMs: 10,
  /**
   * A restart begins this far beyond the bound, and so later than all readings before: there may be
   * some at the bound itself, and a counter that overflowed there borrowed milliseconds beyond it.
   */
  restartSkipMs: 100,
  counterMax: 0xffff,
} as const;

export type RemoteReading =
  | { readonly kind: 'followed'; readonly aheadMs: number }
  /** Followed up to the limit only: effects of this message may be stamped before it. */
  | { readonly kind: 'capped'; readonly aheadMs: number }
  | { readonly kind: 'refused'; readonly aheadMs: number };

/**
 * A hybrid logical clock (Kulkarni et al. 2014): close to the wall clock, never backwards, and
 * later than everything it has seen.
 *
 * It never issues a reading beyond a bound that is on disk already, and starts beyond that
 * bound after a restart, so no reading is issued twice even when the wall clock jumped back meanwhile.
 */
export class HybridClock {
  #ms: number;
  #counter = 0;
  /** Durable: readings up to here may be issued. */
  #boundMs: number;
  /** Handed out for storing and not durable yet; 0 when none is on its way. */
  #pendingBoundMs = 0;

  /** @param persistedBoundMs the bound found on disk; 0 for a new directory. */
  constructor(persistedBoundMs: number, wallMs: number) {
    const known = persistedBoundMs > 0 && !broken('hybrid-clock.persisted-bound');
    const beyondMs = known ? persistedBoundMs + HYBRID_CLOCK.restartSkipMs : 0;
    this.#ms = Math.max(beyondMs, wallMs);
    // Until the first bound of this run is durable only the counter can move.
    this.#boundMs = this.#ms;
  }

  /** The latest reading, without issuing one. */
  get latest(): Timestamp {
    return { ms: this.#ms, counter: this.#counter };
  }

  /** Issues a reading later than every reading issued or followed before. */
  tick(wallMs: number): Timestamp {
    const wall = Math.min(wallMs, this.#boundMs);
    if (wall > this.#ms) this.#set(wall, 0);
    else this.#advance();
    return this.latest;
  }

  /** Learns of a remote reading; see `HYBRID_CLOCK` for what is done about one far ahead. */
  observe(remote: Timestamp, wallMs: number): RemoteReading {
    const aheadMs = remote.ms - wallMs;
    if (aheadMs > HYBRID_CLOCK.remoteAheadRefusedMs) return { kind: 'refused', aheadMs };
    if (!broken('hybrid-clock.receive-advances')) this.#follow(remote, wallMs);
    const capped = this.#isBefore(remote);
    return { kind: capped ? 'capped' : 'followed', aheadMs };
  }

  /** The bound to store next, or undefined while the present one lasts. */
  nextBound(wallMs: number): number | undefined {
    const limitMs = Math.max(
      wallMs + HYBRID_CLOCK.boundAheadMsMax,
      this.#ms + HYBRID_CLOCK.boundSlackMs,
    );
    const wantedMs = Math.min(Math.max(this.#ms, wallMs) + HYBRID_CLOCK.boundAheadMs, limitMs);
    const heldMs = Math.max(this.#boundMs, this.#pendingBoundMs);
    if (heldMs > this.#ms && wantedMs - heldMs < HYBRID_CLOCK.boundRenewalMs) return undefined;
    this.#pendingBoundMs = wantedMs;
    return wantedMs;
  }

  /** The bound is durable. */
  boundStored(boundMs: number): void {
    this.#boundMs = Math.max(this.#boundMs, boundMs);
  }

  #follow(remote: Timestamp, wallMs: number): void {
    const limitMs = Math.min(wallMs + HYBRID_CLOCK.remoteAheadFollowedMsMax, this.#boundMs);
    if (remote.ms > limitMs) {
      if (limitMs > this.#ms) this.#set(limitMs, 0);
      return;
    }
    if (remote.ms > this.#ms) this.#set(remote.ms, remote.counter);
    else if (remote.ms === this.#ms) this.#set(this.#ms, Math.max(remote.counter, this.#counter));
  }

  #isBefore(remote: Timestamp): boolean {
    return this.#ms < remote.ms || (this.#ms === remote.ms && this.#counter < remote.counter);
  }

  #advance(): void {
    if (this.#counter < HYBRID_CLOCK.counterMax) this.#counter += 1;
    // 65,536 readings in one millisecond: borrow the next one rather than repeat.
    else this.#set(this.#ms + 1, 0);
  }

  #set(ms: number, counter: number): void {
    const forward = ms > this.#ms || (ms === this.#ms && counter >= this.#counter);
    invariant(forward, `The hybrid clock would go from ${this.#ms} back to ${ms}.`);
    this.#ms = ms;
    this.#counter = counter;
  }
}

/**
 * Compares this node's wall clock with its peers' readings.
 *
 * One sick clock must not make everybody else look sick, so a node doubts itself only when the
 * median peer disagrees with it, and at least two peers were heard.
 */
export class ClockComparison {
  readonly #offsets = new Map<NodeId, number>();

  /** Remembers how far `peer` is ahead (positive) or behind. */
  note(peer: NodeId, offsetMs: number): void {
    this.#offsets.set(peer, offsetMs);
  }

  forget(peer: NodeId): void {
    this.#offsets.delete(peer);
  }

  /** The median peer's offset; 0 before anybody was heard. */
  get medianOffsetMs(): number {
    const sorted = [...this.#offsets.values()].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  get suspect(): boolean {
    return this.#isJudged && !this.#isClose;
  }

  /** Enough peers were heard, and they bear the clock out with which they are compared. */
  get confirmed(): boolean {
    return this.#isJudged && this.#isClose;
  }

  get #isJudged(): boolean {
    return this.#offsets.size >= 2;
  }

  get #isClose(): boolean {
    return Math.abs(this.medianOffsetMs) <= HYBRID_CLOCK.remoteAheadRefusedMs;
  }
}

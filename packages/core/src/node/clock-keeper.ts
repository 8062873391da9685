import type { NodeId, Timestamp } from '@memgrid/protocol';
import { ClockComparison, HYBRID_CLOCK, HybridClock } from '../hybrid-clock/hybrid-clock.ts';
import { after, type Instant } from '../machine.ts';
import type { ClockEvent } from '../node-event.ts';

/** A jump of the wall clock worth telling: more than NTP slewing and a slow turn can explain. */
const JUMP_REPORTED_MS = 500;
/** One peer's fast clock is reported this often, or a burst of messages floods the log. */
const REPORT_INTERVAL_MS = 10_000;

/**
 * How far ahead of its own wall clock a restarted node may begin, so that no reading is issued
 * twice, and how long its clock stands still until the wall clock has come up: no fault of its clock.
 */
const RESTART_AHEAD_MS = HYBRID_CLOCK.boundAheadMsMax + HYBRID_CLOCK.restartSkipMs;

/** The peers' clocks are compared this often: for every message it would cost a sort of them all. */
const REVIEW_INTERVAL_MS = 1_000;

/** The hybrid clock together with what is noticed about clocks: jumps, peers ahead, self-doubt. */
export class ClockKeeper {
  readonly #hybrid: HybridClock;
  readonly #comparison = new ClockComparison();
  readonly #reportAt = new Map<NodeId, Instant>();
  /** Since when every message of a peer was ahead. */
  readonly #aheadSince = new Map<NodeId, Instant>();
  /** What everything here goes by: the system's clock, unless that is out of its mind (K6). */
  #wallMs: number;
  #systemMs: number;
  /** What the clock goes by while the system's has jumped away from what peers confirm. */
  #held: { readonly wallMs: number; readonly at: Instant } | undefined;
  #confirmed = false;
  #toldAt: Instant;
  #reviewAt: Instant;
  #offsetMs = 0;
  #suspect = false;
  #remoteAheadCount = 0;
  #events: ClockEvent[] = [];

  constructor(persistedBoundMs: number, wallMs: number, now: Instant) {
    this.#hybrid = new HybridClock(persistedBoundMs, wallMs);
    this.#wallMs = wallMs;
    this.#systemMs = wallMs;
    this.#toldAt = now;
    this.#reviewAt = after(now, REVIEW_INTERVAL_MS);
  }

  /** The operating system's clock, as last told, or what it should say (K6). */
  get wallMs(): number {
    return this.#wallMs;
  }

  get suspect(): boolean {
    return this.#suspect;
  }

  /** The median peer's offset, as of the last review. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  get latest(): Timestamp {
    return this.#hybrid.latest;
  }

  get remoteAheadCount(): number {
    return this.#remoteAheadCount;
  }

  /** The operating system's clock, told at the beginning of every turn. */
  tell(now: Instant, wallMs: number): void {
    const jumpMs = wallMs - this.#systemMs - (now - this.#toldAt);
    if (Math.abs(jumpMs) > JUMP_REPORTED_MS) {
      this.#events.push({ name: 'clock.jumped', byMs: Math.round(jumpMs) });
    }
    this.#systemMs = wallMs;
    this.#wallMs = this.#plausible(now, wallMs);
    this.#toldAt = now;
    if (this.#reviewAt <= now) this.#review(now);
  }

  /** A jump is followed unless it leads away from peers that confirm where the clock was. */
  #plausible(now: Instant, wallMs: number): number {
    const from = this.#held ?? { wallMs: this.#wallMs, at: this.#toldAt };
    const expectedMs = Math.floor(from.wallMs + (now - from.at));
    const isNear = Math.abs(wallMs - expectedMs) <= HYBRID_CLOCK.remoteAheadRefusedMs;
    this.#held = isNear || !this.#confirmed ? undefined : from;
    return this.#held === undefined ? wallMs : expectedMs;
  }

  tick(): Timestamp {
    return this.#hybrid.tick(this.#wallMs);
  }

  observe(now: Instant, peer: NodeId, remote: Timestamp): void {
    const { aheadMs } = this.#hybrid.observe(remote, this.#wallMs);
    this.#comparison.note(peer, aheadMs);
    if (aheadMs > HYBRID_CLOCK.remoteAheadReportedMs) this.#remoteAhead(now, peer, aheadMs);
    else this.#aheadSince.delete(peer);
  }

  forget(peer: NodeId): void {
    this.#comparison.forget(peer);
    this.#reportAt.delete(peer);
    this.#aheadSince.delete(peer);
  }

  nextBound(): number | undefined {
    return this.#hybrid.nextBound(this.#wallMs);
  }

  boundStored(boundMs: number): void {
    this.#hybrid.boundStored(boundMs);
  }

  takeEvents(): readonly ClockEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  #review(now: Instant): void {
    this.#reviewAt = after(now, REVIEW_INTERVAL_MS);
    this.#offsetMs = this.#comparison.medianOffsetMs + this.#wallMs - this.#systemMs;
    this.#confirmed = this.#comparison.confirmed;
    const suspect = this.#comparison.suspect || this.#held !== undefined;
    if (suspect === this.#suspect) return;
    this.#suspect = suspect;
    this.#events.push({ name: 'clock.suspect', suspect, offsetMs: this.#offsetMs });
  }

  #remoteAhead(now: Instant, peer: NodeId, aheadMs: number): void {
    this.#remoteAheadCount += 1;
    const since = this.#aheadSince.get(peer) ?? now;
    this.#aheadSince.set(peer, since);
    if (aheadMs <= RESTART_AHEAD_MS && now < after(since, RESTART_AHEAD_MS)) return;
    if ((this.#reportAt.get(peer) ?? now) > now) return;
    this.#reportAt.set(peer, after(now, REPORT_INTERVAL_MS));
    this.#events.push({ name: 'clock.remoteAhead', peer, aheadMs });
  }
}

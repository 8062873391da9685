import type { Random } from '@memgrid/core';
import type { PathConditions } from './path-conditions.ts';

/** What travels in one direction of a connection, in order. */
export type Parcel<Frame> =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly bytes: number }
  /** The acceptor's process has answered the connection request. */
  | { readonly kind: 'open' }
  /** The sender will send no more (FIN). */
  | { readonly kind: 'end' };

/** What a lane needs to know about the world. */
export interface LaneSurroundings<Frame> {
  readonly nowUs: () => number;
  readonly at: (atUs: number, run: () => void) => void;
  readonly random: Random;
  readonly conditions: () => PathConditions;
  /** The way back is open: without acknowledgements a sender soon has to stop. */
  readonly acknowledgementsPass: () => boolean;
  /** False: nobody is there to take it (the host is off), so it has to be sent again. */
  readonly arrive: (parcel: Parcel<Frame>) => boolean;
  readonly reset: () => void;
  readonly bufferedChanged: (bytes: number) => void;
}

/** Linux's floor for the retransmission timeout, and its ceiling. */
const RETRANSMIT_US_MIN = 200_000;
const RETRANSMIT_US_MAX = 120_000_000;

/** What a receiver takes into its socket buffer while its process reads nothing. */
const WINDOW_BYTES = 1024 * 1024;

/** What a sender may have under way without any acknowledgement: ten segments. */
const UNACKNOWLEDGED_BYTES_MAX = 14_600;

/** What has left the sender and is not yet in the receiver's buffer. */
interface Flight<Frame> {
  readonly parcel: Parcel<Frame>;
  readonly bytes: number;
  /** It is at the other kernel, which hands it over once everything before it is there too. */
  landed: boolean;
}

/**
 * One direction of a TCP connection: in order, without loss, late.
 *
 * Loss shows as delay, because TCP sends again: after 200 ms, then 400 ms more, and so on. That
 * is also why a connection does not come back the moment a cut heals: it waits for its next try.
 * Each try meets the path as it is by then, so one on a path that has healed gets through.
 */
export class SimLane<Frame> {
  readonly #world: LaneSurroundings<Frame>;
  #waiting: Parcel<Frame>[] = [];
  #waitingBytes = 0;
  /** In the order in which they were sent. */
  #flying: Flight<Frame>[] = [];
  /** Delivered to the socket, not yet read by the process. */
  #unreadBytes = 0;
  #unacknowledgedBytes = 0;
  #lastArrivalUs = 0;
  #freeAtUs = 0;
  /** When the first parcel that does not get through was first sent. */
  #blockedSinceUs: number | undefined;
  #retryQueued = false;
  #closed = false;

  constructor(world: LaneSurroundings<Frame>) {
    this.#world = world;
  }

  /** Bytes the sender had to keep: what `ws` calls `bufferedAmount`. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  send(parcel: Parcel<Frame>): void {
    if (this.#closed) return;
    this.#waiting.push(parcel);
    if (parcel.kind === 'frame') this.#waitingBytes += parcel.bytes;
    this.pump();
    this.reportBuffered();
  }

  /** Tells the sender how full its buffer is, what others put into it included. */
  reportBuffered(): void {
    if (this.#closed) return;
    this.#world.bufferedChanged(this.#waitingBytes + this.#world.conditions().queuedBytes);
  }

  /** The receiving process has read a frame. */
  read(bytes: number): void {
    this.#unreadBytes -= bytes;
    if (this.#waiting.length > 0) this.pump();
  }

  /** Nothing more arrives: the connection is gone. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#flying = [];
  }

  /** Sends what may be sent now. Called again whenever the path may have become better. */
  pump(): void {
    if (this.#closed || this.#retryQueued || this.#waiting.length === 0) return;
    const path = this.#world.conditions();
    if (path.cut) {
      this.#block();
      return;
    }
    const acknowledged = this.#world.acknowledgementsPass();
    if (acknowledged) this.#unacknowledgedBytes = 0;
    const before = this.#waitingBytes;
    this.#transmitAll(path, acknowledged);
    if (this.#waitingBytes !== before) this.reportBuffered();
  }

  #transmitAll(path: PathConditions, acknowledged: boolean): void {
    while (!this.#closed) {
      const parcel = this.#waiting[0];
      if (parcel === undefined) return;
      const bytes = parcel.kind === 'frame' ? parcel.bytes : 0;
      if (this.#unreadBytes > 0 && this.#unreadBytes + bytes > WINDOW_BYTES) return;
      if (!acknowledged) {
        if (this.#unacknowledgedBytes + bytes > UNACKNOWLEDGED_BYTES_MAX) {
          this.#block();
          return;
        }
        this.#unacknowledgedBytes += bytes;
      }
      this.#blockedSinceUs = undefined;
      this.#waiting.shift();
      this.#waitingBytes -= bytes;
      this.#unreadBytes += bytes;
      this.#transmit(parcel, bytes, path);
    }
  }

  #transmit(parcel: Parcel<Frame>, bytes: number, path: PathConditions): void {
    const { random, nowUs, at } = this.#world;
    if (path.resetShare > 0 && random.chance(path.resetShare)) {
      this.#world.reset();
      return;
    }
    const departUs = Math.max(nowUs(), this.#freeAtUs);
    this.#freeAtUs = Math.round(departUs + (bytes / path.bytesPerSecond) * 1_000_000);
    const travelUs = random.between(path.latencyMsMin, path.latencyMsMax) * 1000;
    const flight: Flight<Frame> = { parcel, bytes, landed: false };
    this.#flying.push(flight);
    if (this.#isLost(path)) {
      this.#sendAgain(flight, this.#freeAtUs, RETRANSMIT_US_MIN);
      return;
    }
    // One microsecond apart: the queue breaks ties by luck, and a connection never reorders.
    const arrivalUs = Math.round(this.#freeAtUs + travelUs);
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs + 1, arrivalUs);
    at(this.#lastArrivalUs, () => this.#land(flight));
  }

  #isLost({ lossShare }: PathConditions): boolean {
    return lossShare > 0 && this.#world.random.chance(lossShare);
  }

  /** The try of `triedAtUs` got lost: the next one follows after `timeoutUs`. */
  #sendAgain(flight: Flight<Frame>, triedAtUs: number, timeoutUs: number): void {
    const { at, conditions, random } = this.#world;
    const tryAtUs = triedAtUs + timeoutUs;
    at(tryAtUs, () => {
      if (!this.#flying.includes(flight)) return;
      const path = conditions();
      if (path.cut || this.#isLost(path)) {
        this.#sendAgain(flight, tryAtUs, Math.min(timeoutUs * 2, RETRANSMIT_US_MAX));
        return;
      }
      const travelUs = random.between(path.latencyMsMin, path.latencyMsMax) * 1000;
      at(Math.round(tryAtUs + travelUs), () => this.#land(flight));
    });
  }

  #land(flight: Flight<Frame>): void {
    flight.landed = true;
    for (let first = this.#flying[0]; first?.landed === true; first = this.#flying[0]) {
      if (!this.#world.arrive(first.parcel)) {
        this.#takeBack();
        return;
      }
      this.#flying.shift();
    }
  }

  /** Nobody was there to take the first: neither it nor what follows it is acknowledged. */
  #takeBack(): void {
    const unacknowledged = this.#flying;
    this.#flying = [];
    for (const { bytes } of unacknowledged) {
      this.#unreadBytes -= bytes;
      this.#waitingBytes += bytes;
    }
    this.#waiting.unshift(...unacknowledged.map(({ parcel }) => parcel));
    this.#block();
  }

  #block(): void {
    this.#blockedSinceUs ??= this.#world.nowUs();
    this.#queueRetry();
  }

  /** TCP tries again at fixed moments after the first try, whether or not the path is open. */
  #queueRetry(): void {
    if (this.#retryQueued || this.#blockedSinceUs === undefined) return;
    this.#retryQueued = true;
    let tryAtUs = this.#blockedSinceUs;
    let timeoutUs = RETRANSMIT_US_MIN;
    while (tryAtUs <= this.#world.nowUs()) {
      tryAtUs += timeoutUs;
      timeoutUs = Math.min(timeoutUs * 2, RETRANSMIT_US_MAX);
    }
    this.#world.at(tryAtUs, () => {
      this.#retryQueued = false;
      this.pump();
    });
  }
}

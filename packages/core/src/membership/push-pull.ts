import { LIMITS, memberUpdateBytes } from '@memgrid/protocol';
import type { MemberDigest, MembershipMessage, MemberUpdate, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { EffectBuffer } from './effect-buffer.ts';
import type { MemberTable } from './member-table.ts';
import { outranks } from './merge-rule.ts';

type Response = Extract<MembershipMessage, { type: 'pushPullResp' }>;
type Request = Extract<MembershipMessage, { type: 'pushPullReq' }>;

interface Exchange {
  readonly peer: NodeId;
  readonly address: string;
  readonly openedAt: Instant;
  /** Members that we knew when we asked. */
  readonly knownCount: number;
  /** What the peer said about each member so far. */
  readonly said: Map<NodeId, MemberUpdate>;
}

/** Exchanges that may be open at once; the oldest gives way. */
const EXCHANGES_MAX = 256;

/** An exchange that took longer than this is forgotten: the peer is gone or the part was lost. */
const EXCHANGE_MS_MAX = 10_000;

/** Encoded updates in one part: well inside one control frame. */
export const PART_BYTES_MAX = 200 * 1024;

/**
 * Compares whole tables with one peer: digests first, tables only when they differ.
 *
 * A asks B with its digest. B answers with its digest and, on a mismatch, its whole table; the
 * last part says `wanted`. Then A sends B only what B did not know. See DESIGN.md, M10.
 */
export class PushPull {
  readonly #table: MemberTable;
  readonly #effects: EffectBuffer;
  readonly #exchanges = new Map<number, Exchange>();
  #lastNumber = 0;

  constructor(table: MemberTable, effects: EffectBuffer) {
    this.#table = table;
    this.#effects = effects;
  }

  /** Exchanges that wait for the peer. */
  get size(): number {
    return this.#exchanges.size;
  }

  open(now: Instant, peer: NodeId, address: string): void {
    this.#forgetOld(now);
    this.#lastNumber += 1;
    const exchange = this.#lastNumber;
    const knownCount = this.#table.size;
    this.#exchanges.set(exchange, { peer, address, openedAt: now, knownCount, said: new Map() });
    this.#effects.sendTo(peer, address, {
      type: 'pushPullReq',
      exchange,
      digest: this.#table.digest(),
    });
  }

  answer(from: NodeId, address: string, request: Request): void {
    const { exchange } = request;
    const digest = this.#table.digest();
    if (sameDigest(digest, request.digest)) {
      const equal: Response = {
        type: 'pushPullResp',
        exchange,
        digest,
        wanted: false,
        updates: [],
      };
      this.#effects.sendTo(from, address, equal);
      return;
    }
    const parts = inParts(this.#shared());
    parts.forEach((updates, at) => {
      const wanted = at === parts.length - 1;
      this.#effects.sendTo(from, address, {
        type: 'pushPullResp',
        exchange,
        digest,
        wanted,
        updates,
      });
    });
  }

  /** Whether this answer teaches us most of what we know: then it is news to nobody else. */
  isFirstLesson(from: NodeId, response: Response): boolean {
    const open = this.#exchanges.get(response.exchange);
    return open?.peer === from && response.updates.length >= 2 * open.knownCount;
  }

  /**
   * Keeps account of an answer whose updates the caller has taken in already, and sends what the
   * peer did not know. False: the answer is no part of an exchange of ours.
   */
  answered(from: NodeId, response: Response): boolean {
    const open = this.#exchanges.get(response.exchange);
    if (open === undefined || open.peer !== from) return false;
    for (const update of response.updates) open.said.set(update.nodeId, update);
    if (!response.wanted && response.updates.length > 0) return true;
    this.#exchanges.delete(response.exchange);
    if (!response.wanted) return true;
    const news = this.#unknownTo(open.said);
    if (news.length === 0) return true;
    const { exchange } = response;
    const digest = this.#table.digest();
    for (const updates of inParts(news)) {
      const body: Response = { type: 'pushPullResp', exchange, digest, wanted: false, updates };
      this.#effects.sendTo(from, open.address, body);
    }
    return true;
  }

  /** Who left is not shared: newcomers need not know, and could not check the goodbye. */
  #shared(): MemberUpdate[] {
    const result: MemberUpdate[] = [];
    for (const { update } of this.#table.values()) {
      if (isShared(update)) result.push(update);
    }
    return result;
  }

  #unknownTo(said: ReadonlyMap<NodeId, MemberUpdate>): MemberUpdate[] {
    const result: MemberUpdate[] = [];
    for (const { update } of this.#table.values()) {
      const theirs = said.get(update.nodeId);
      if (theirs === undefined ? !isShared(update) : !outranks(update, theirs)) continue;
      if (update.liveness === 'left' && update.leaveKey === undefined) continue;
      result.push(update);
    }
    return result;
  }

  #forgetOld(now: Instant): void {
    for (const [number, exchange] of this.#exchanges) {
      const old = now - exchange.openedAt > EXCHANGE_MS_MAX;
      if (!old && this.#exchanges.size < EXCHANGES_MAX) return;
      this.#exchanges.delete(number);
    }
  }
}

/** A life that was only heard of has no metadata of its own yet: the member will speak for itself. */
function isShared(update: MemberUpdate): boolean {
  return update.liveness !== 'left' && update.incarnation > 0;
}

function sameDigest(a: MemberDigest, b: MemberDigest): boolean {
  return a.count === b.count && a.hashHigh === b.hashHigh && a.hashLow === b.hashLow;
}

/** At least one part; none longer than the limits. */
export function inParts(updates: readonly MemberUpdate[]): readonly (readonly MemberUpdate[])[] {
  const parts: MemberUpdate[][] = [];
  let part: MemberUpdate[] = [];
  let bytes = 0;
  for (const update of updates) {
    const next = memberUpdateBytes(update);
    if (part.length >= LIMITS.memberUpdatesMax || bytes + next > PART_BYTES_MAX) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(update);
    bytes += next;
  }
  parts.push(part);
  return parts;
}

import { LIMITS } from '@memgrid/protocol';
import type { Generation, NodeId, ReachabilityRow } from '@memgrid/protocol';
import { unreachable } from '../assert.ts';
import { after, earliest } from '../machine.ts';
import type { Instant, Machine } from '../machine.ts';
import type { Random } from '../random.ts';
import { DirectLinks } from './direct-links.ts';
import type { LinkChange } from './direct-links.ts';
import { LAN } from './reachability-config.ts';
import type { ReachabilityConfig } from './reachability-config.ts';
import type { ReachabilityEffect, ReachabilityInput } from './reachability-io.ts';
import { RowTable, sameExceptions } from './row-table.ts';

export interface ReachabilityStart {
  readonly self: NodeId;
  readonly generation: Generation;
  readonly config?: ReachabilityConfig;
  readonly random: Random;
  readonly now: Instant;
}

/** Ids listed in one message, at most: some 70 KiB encoded, well inside one control frame. */
const LISTED_IDS_MAX = 4096;

const NOTHING: readonly ReachabilityEffect[] = [];

/**
 * Who reaches whom directly, as each node tells it: the raw material of the partition map.
 *
 * Membership asks whether a member lives, by whatever path; this machine asks which direct links
 * work. Rows list exceptions only, so a healthy cluster says almost nothing. See DESIGN.md.
 */
export class Reachability implements Machine<ReachabilityInput, ReachabilityEffect> {
  readonly #self: NodeId;
  readonly #config: ReachabilityConfig;
  readonly #random: Random;
  readonly #links: DirectLinks;
  readonly #others = new RowTable();
  /** Decides once and for all at which sizes this node is among the observers. */
  readonly #lot: number;
  #row: ReachabilityRow;
  #announcedAt: Instant | undefined;
  #announceAt: Instant | undefined;
  #repeatAt: Instant;
  #effects: ReachabilityEffect[] = [];

  constructor(start: ReachabilityStart) {
    const { self, generation, config = LAN, random, now } = start;
    this.#self = self;
    this.#config = config;
    this.#random = random;
    this.#links = new DirectLinks(config);
    this.#lot = random.unit();
    this.#row = { owner: self, generation, version: 0, knownCount: 1, unreached: [], silent: [] };
    // A random first moment: nodes that start together must not repeat together.
    this.#repeatAt = after(now, config.repeatIntervalMs * random.between(0.5, 1));
  }

  get wakeAt(): Instant | undefined {
    const soonest = earliest(this.#links.nextCheckAt, this.#announceAt);
    return this.#links.knownCount > 1 ? earliest(soonest, this.#repeatAt) : soonest;
  }

  step(now: Instant, input: ReachabilityInput): readonly ReachabilityEffect[] {
    switch (input.kind) {
      case 'heard': {
        const restored = this.#links.heard(now, input.peer);
        if (restored === undefined) return NOTHING;
        this.#changed(now, restored);
        break;
      }
      case 'missed':
        this.#links.missed(now, input.peer);
        break;
      case 'members':
        this.#links.setMembers(now, input.members);
        this.#others.keepOnly((id) => this.#links.has(id));
        // Also when only the count changed: small groups hear of it at once, large ones in time.
        if (this.#isSmall) this.#scheduleRow(now);
        break;
      case 'message':
        this.#receive(input.from, input.body.rows);
        break;
      default:
        return unreachable(input);
    }
    return this.#drain();
  }

  wake(now: Instant): readonly ReachabilityEffect[] {
    this.#changed(now, this.#links.lost(now));
    if (this.#announceAt !== undefined && this.#announceAt <= now) this.#announce(now);
    if (this.#repeatAt <= now) this.#repeat(now);
    return this.#drain();
  }

  /**
   * The newest row of every member that announces one, and this node's as it was last renewed
   * (at most a row interval ago). Sorted by owner.
   */
  rows(): readonly ReachabilityRow[] {
    const rows = [...this.#others.values(), this.#row];
    return rows.sort((a, b) => (a.owner < b.owner ? -1 : 1));
  }

  /** The members that say they do not reach `peer` directly, sorted. */
  unreachedBy(peer: NodeId): readonly NodeId[] {
    return this.#ownersWhere((row) => row.unreached.includes(peer));
  }

  /** The members that say nothing arrives from `peer` directly, sorted. */
  silentFor(peer: NodeId): readonly NodeId[] {
    return this.#ownersWhere((row) => row.silent.includes(peer));
  }

  get #isSmall(): boolean {
    return this.#links.knownCount <= this.#config.tellAllMax;
  }

  /** In large groups only a sample announces: rows of all would cost N squared. */
  get #isObserver(): boolean {
    const { everyoneMax, observers } = this.#config;
    const count = this.#links.knownCount;
    return count <= everyoneMax || this.#lot < observers / count;
  }

  #changed(now: Instant, changes: readonly LinkChange[]): void {
    for (const { peer, direction, lost } of changes) {
      const name = lost ? 'reach.lost' : 'reach.restored';
      this.#effects.push({ kind: 'event', event: { name, peer, direction } });
    }
    if (changes.length > 0) this.#scheduleRow(now);
  }

  #scheduleRow(now: Instant): void {
    const { rowIntervalMs } = this.#config;
    const soonest = this.#announcedAt === undefined ? now : after(this.#announcedAt, rowIntervalMs);
    this.#announceAt ??= soonest > now ? soonest : now;
  }

  #announce(now: Instant): void {
    this.#announceAt = undefined;
    if (!this.#renewRow()) return;
    this.#announcedAt = now;
    if (this.#isObserver) this.#send(this.#audience(), [this.#row]);
  }

  /** True when the row says something new and so got a new version. */
  #renewRow(): boolean {
    const next = this.#currentRow();
    if (next === this.#row) return false;
    this.#row = { ...next, version: this.#row.version + 1 };
    return true;
  }

  /** The row as of now; the announced one when nothing changed. */
  #currentRow(): ReachabilityRow {
    const { knownCount } = this.#links;
    const unreached = this.#links.unreached().slice(0, LIMITS.rowMembersMax);
    const silent = this.#links.silent().slice(0, LIMITS.rowMembersMax);
    const same = knownCount === this.#row.knownCount && this.#row.version > 0;
    if (same && sameExceptions({ unreached, silent }, this.#row)) return this.#row;
    return { ...this.#row, knownCount, unreached, silent };
  }

  /** Rows are lost with the links they travel on: once in a while somebody gets all of them. */
  #repeat(now: Instant): void {
    this.#repeatAt = after(now, this.#config.repeatIntervalMs);
    const listener = this.#random.pick(this.#links.ids());
    if (listener === undefined) return;
    if (this.#announceAt === undefined) this.#renewRow();
    const own = this.#isObserver && this.#row.version > 0 ? [this.#row] : [];
    this.#send([listener], [...own, ...this.#others.values()]);
  }

  #receive(from: NodeId, rows: readonly ReachabilityRow[]): void {
    const news: ReachabilityRow[] = [];
    for (const row of rows) {
      if (row.owner === this.#self || !this.#links.has(row.owner)) continue;
      if (this.#others.take(row) === 'exceptions') news.push(row);
    }
    if (news.length === 0) return;
    if (this.#isSmall) this.#bridge(from, news);
    else
      this.#send(
        this.#audience().filter((to) => to !== from),
        news,
      );
  }

  /** In a small group the owner told everybody it reaches; those it does not reach hear it here. */
  #bridge(from: NodeId, rows: readonly ReachabilityRow[]): void {
    for (const row of rows) {
      if (row.owner !== from) continue;
      const cutOff = new Set([...row.unreached, ...row.silent]);
      this.#send(
        [...cutOff].filter((to) => this.#links.has(to)),
        [row],
      );
    }
  }

  #audience(): readonly NodeId[] {
    const ids = this.#links.ids();
    return this.#isSmall ? ids : this.#random.shuffled(ids).slice(0, this.#config.fanout);
  }

  #send(to: readonly NodeId[], rows: readonly ReachabilityRow[]): void {
    for (const part of inMessages(rows)) {
      for (const peer of to) {
        this.#effects.push({ kind: 'send', to: peer, body: { type: 'rows', rows: part } });
      }
    }
  }

  #ownersWhere(accept: (row: ReachabilityRow) => boolean): readonly NodeId[] {
    return this.rows()
      .filter(accept)
      .map((row) => row.owner);
  }

  #drain(): readonly ReachabilityEffect[] {
    if (this.#effects.length === 0) return NOTHING;
    const drained = this.#effects;
    this.#effects = [];
    return drained;
  }
}

/** Splits rows so that no message passes the limits of a frame. */
function inMessages(rows: readonly ReachabilityRow[]): readonly (readonly ReachabilityRow[])[] {
  const messages: ReachabilityRow[][] = [];
  let message: ReachabilityRow[] = [];
  let listed = 0;
  for (const row of rows) {
    const ids = 1 + row.unreached.length + row.silent.length;
    const full = listed + ids > LISTED_IDS_MAX || message.length >= LIMITS.rowsMax;
    if (full && message.length > 0) {
      messages.push(message);
      message = [];
      listed = 0;
    }
    message.push(row);
    listed += ids;
  }
  if (message.length > 0) messages.push(message);
  return messages;
}

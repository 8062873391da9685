import type { Liveness, MemberDigest, MemberUpdate, NodeId } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import { Member } from './member.ts';
import { stateLane } from './table-digest.ts';

/** Members that left and are remembered, so that a late rumour does not bring them back. */
export const LEFT_REMEMBERED_MAX = 1024;

const NO_SLOTS: readonly Member[] = [];

/**
 * Every member that this node knows, itself included.
 *
 * Invariants: a member other than oneself is in exactly one of the three lists (`active`,
 * `missing`, left); the digest always equals the one recomputed from scratch. Nothing here costs
 * more than O(1) per change, apart from `sorted`.
 */
export class MemberTable {
  readonly #members = new Map<NodeId, Member>();
  readonly #self: Member;
  readonly #active: Member[] = [];
  readonly #missing: Member[] = [];
  readonly #left: Member[] = [];
  #suspectCount = 0;
  #digestHigh = 0;
  #digestLow = 0;
  #digestCount = 0;

  constructor(self: MemberUpdate, now: Instant) {
    this.#self = new Member(self, now);
    this.#members.set(self.nodeId, this.#self);
    this.#toggleDigest(this.#self, 1);
  }

  get self(): Member {
    return this.#self;
  }

  /** Other members that are alive or suspect. In no particular order. */
  get active(): readonly Member[] {
    return this.#active;
  }

  /** Other members that are dead: never forgotten. In no particular order. */
  get missing(): readonly Member[] {
    return this.#missing;
  }

  /** Members not known dead or left, this node included: SWIM's N. */
  get activeCount(): number {
    return this.#active.length + 1;
  }

  get suspectCount(): number {
    return this.#suspectCount;
  }

  /** All that are remembered, this node included. */
  get size(): number {
    return this.#members.size;
  }

  get(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  values(): IterableIterator<Member> {
    return this.#members.values();
  }

  sorted(): Member[] {
    return [...this.#members.values()].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  /** A member that was not known. */
  add(update: MemberUpdate, now: Instant): Member {
    invariant(!this.#members.has(update.nodeId), `Member ${update.nodeId} is known already.`);
    const member = new Member(update, now);
    this.#members.set(update.nodeId, member);
    this.#enlist(member);
    this.#toggleDigest(member, 1);
    return member;
  }

  /** Replaces what is believed about a member. */
  change(member: Member, update: MemberUpdate, now: Instant): void {
    const before = member.update.liveness;
    const moves = listOf(before) !== listOf(update.liveness) && member !== this.#self;
    if (before !== update.liveness) member.since = now;
    this.#toggleDigest(member, -1);
    if (moves) this.#delist(member);
    else if (member !== this.#self) this.#countSuspects(before, update.liveness);
    member.update = update;
    if (moves) this.#enlist(member);
    this.#toggleDigest(member, 1);
  }

  /** A summary that is equal on two nodes when their tables are, members that left aside. */
  digest(): MemberDigest {
    return {
      count: this.#digestCount,
      hashHigh: this.#digestHigh >>> 0,
      hashLow: this.#digestLow >>> 0,
    };
  }

  /** Up to `count` different active members that `accept` agrees to, in random order. */
  sample(random: Random, count: number, accept?: (member: Member) => boolean): readonly Member[] {
    const pool = this.#active;
    if (pool.length === 0 || count <= 0) return NO_SLOTS;
    if (pool.length <= 4 * count) {
      const willing = accept === undefined ? pool : pool.filter(accept);
      return random.shuffled(willing).slice(0, count);
    }
    const picked: Member[] = [];
    // A large pool that mostly refuses is not searched to the end: a round with fewer members
    // than wished is harmless, a round that costs O(N) is not.
    for (let tries = 4 * count + 16; tries > 0 && picked.length < count; tries -= 1) {
      const member = pool[random.below(pool.length)] as Member;
      if (picked.includes(member) || (accept !== undefined && !accept(member))) continue;
      picked.push(member);
    }
    return picked;
  }

  #enlist(member: Member): void {
    const list = this.#listFor(member.update.liveness);
    member.slot = list.length;
    list.push(member);
    if (member.update.liveness === 'suspect') this.#suspectCount += 1;
    if (list === this.#left && list.length > LEFT_REMEMBERED_MAX) this.#forgetOldestLeft();
  }

  #delist(member: Member): void {
    const list = this.#listFor(member.update.liveness);
    const last = list.pop() as Member;
    if (last !== member) {
      list[member.slot] = last;
      last.slot = member.slot;
    }
    member.slot = -1;
    if (member.update.liveness === 'suspect') this.#suspectCount -= 1;
  }

  #countSuspects(before: Liveness, next: Liveness): void {
    if (before === 'suspect') this.#suspectCount -= 1;
    if (next === 'suspect') this.#suspectCount += 1;
  }

  #listFor(liveness: Liveness): Member[] {
    const kind = listOf(liveness);
    if (kind === 'active') return this.#active;
    return kind === 'missing' ? this.#missing : this.#left;
  }

  #forgetOldestLeft(): void {
    let oldest = this.#left[0] as Member;
    for (const member of this.#left) if (member.since < oldest.since) oldest = member;
    this.#delist(oldest);
    this.#members.delete(oldest.nodeId);
  }

  #toggleDigest(member: Member, by: 1 | -1): void {
    // Who left is no part of the digest: newcomers never learn of them, and would differ for ever.
    if (member.update.liveness === 'left') return;
    this.#digestCount += by;
    this.#digestHigh ^= stateLane(member.idHigh, member.update);
    this.#digestLow ^= stateLane(member.idLow, member.update);
  }
}

function listOf(liveness: Liveness): 'active' | 'missing' | 'left' {
  if (liveness === 'alive' || liveness === 'suspect') return 'active';
  return liveness === 'dead' ? 'missing' : 'left';
}

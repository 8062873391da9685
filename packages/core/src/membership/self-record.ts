import type { Incarnation, MemberMeta, MemberUpdate } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Dissemination } from './dissemination.ts';
import type { EffectBuffer } from './effect-buffer.ts';
import { sameBytes } from './leave-key.ts';
import { loadIntervalMs } from './membership-config.ts';
import type { MembershipConfig } from './membership-config.ts';
import type { MemberTable } from './member-table.ts';
import { outranks } from './merge-rule.ts';

export interface SelfRecordOptions {
  readonly config: MembershipConfig;
  readonly table: MemberTable;
  readonly dissemination: Dissemination;
  readonly effects: EffectBuffer;
  readonly leaveKey: Uint8Array;
}

/** Beyond this an incarnation could not be raised any more: only a forger gets there. */
const INCARNATION_MAX = Number.MAX_SAFE_INTEGER - 1;

/**
 * What this node says about itself: the only place that raises its incarnation.
 *
 * Three reasons to speak up: it was accused, its metadata changed, it leaves. A change of load
 * alone is told rarely and only in passing, so that the gossip of a quiet cluster stays quiet.
 */
export class SelfRecord {
  readonly #options: SelfRecordOptions;
  #meta: MemberMeta;
  #announcedAt: Instant | undefined;
  #announceAt: Instant | undefined;
  #urgent = false;
  #leaving = false;
  #superseded = false;

  constructor(options: SelfRecordOptions, meta: MemberMeta) {
    this.#options = options;
    this.#meta = meta;
  }

  get update(): MemberUpdate {
    return this.#options.table.self.update;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  /** When a change that had to wait will be announced. */
  get announceAt(): Instant | undefined {
    return this.#announceAt;
  }

  /** Somebody spoke about this node. Returns what to answer, if anything. */
  spokenOf(
    now: Instant,
    said: MemberUpdate,
    context: { readonly stalledMs: number; readonly refuted: () => void },
  ): MemberUpdate | undefined {
    const { generation, incarnation, liveness } = this.update;
    if (said.generation > generation) {
      this.superseded(said.generation);
      return undefined;
    }
    if (said.generation < generation) return said.liveness === 'alive' ? undefined : this.update;
    if (this.#leaving || said.liveness === 'left') return this.#leaving ? this.update : undefined;
    const accused = said.liveness !== 'alive';
    const stale = said.incarnation < incarnation;
    if (stale) return accused ? this.update : undefined;
    if (!accused && (said.incarnation === incarnation || liveness !== 'alive')) return undefined;
    if (said.incarnation >= INCARNATION_MAX || broken('membership.refute-accusations')) {
      return undefined;
    }
    this.#announce(now, { above: said.incarnation });
    if (accused) {
      context.refuted();
      this.#options.effects.event({
        name: 'self.accused',
        by: said.by,
        incarnation: said.incarnation,
        stalledMs: context.stalledMs,
      });
    }
    return this.update;
  }

  /** Somebody knows a later life of this node. Told once: the shell stops this one. */
  superseded(generation: MemberUpdate['generation']): void {
    if (this.#superseded || generation <= this.update.generation) return;
    this.#superseded = true;
    this.#options.effects.event({ name: 'self.superseded', generation });
  }

  changeMeta(now: Instant, meta: MemberMeta): void {
    this.#meta = meta;
    const announced = this.update.meta as MemberMeta;
    if (this.#leaving || sameMeta(announced, meta)) {
      this.#announceAt = undefined;
      return;
    }
    const { config, table } = this.#options;
    const self = this.update.nodeId;
    this.#urgent = identityChanged(announced, meta) || claimsDiffer(announced, meta, self);
    const quietMs = this.#urgent
      ? config.probeIntervalMs
      : loadIntervalMs(config, table.activeCount);
    if (quietMs === Infinity) {
      this.#announceAt = undefined;
      return;
    }
    const earliest = this.#announcedAt === undefined ? now : after(this.#announcedAt, quietMs);
    this.#announceAt = earliest > now ? earliest : now;
    this.announceIfDue(now);
  }

  announceIfDue(now: Instant): void {
    if (this.#announceAt === undefined || this.#announceAt > now) return;
    this.#announce(now, { above: this.update.incarnation });
  }

  /** Says goodbye, with the key that proves who says it. */
  leave(now: Instant): MemberUpdate {
    const { table, dissemination, leaveKey } = this.#options;
    this.#leaving = true;
    this.#announceAt = undefined;
    table.change(table.self, { ...this.update, liveness: 'left', leaveKey }, now);
    dissemination.tell(this.update);
    return this.update;
  }

  #announce(now: Instant, { above }: { readonly above: Incarnation }): void {
    const { table, dissemination } = this.#options;
    const lazily =
      this.#announceAt !== undefined && !this.#urgent && above === this.update.incarnation;
    const incarnation = (above + 1) as Incarnation;
    const next: MemberUpdate = { ...this.update, incarnation, meta: this.#meta };
    if (!outranks(next, this.update)) return;
    table.change(table.self, next, now);
    this.#announcedAt = now;
    this.#announceAt = undefined;
    this.#urgent = false;
    if (lazily) dissemination.tellLazily(next);
    else dissemination.tell(next);
  }
}

/** Whether something changed that others act upon at once. */
function identityChanged(a: MemberMeta, b: MemberMeta): boolean {
  return (
    a.address !== b.address ||
    a.httpAddress !== b.httpAddress ||
    a.zone !== b.zone ||
    a.weight !== b.weight ||
    a.protocolMin !== b.protocolMin ||
    a.protocolMax !== b.protocolMax ||
    a.clusterId !== b.clusterId ||
    a.clockSuspect !== b.clockSuspect ||
    !sameBytes(a.leaveLock, b.leaveLock) ||
    !sameTexts(a.features, b.features)
  );
}

/** The leader announces itself at once; that others follow it is worth no packet. */
function claimsDiffer(a: MemberMeta, b: MemberMeta, self: MemberUpdate['nodeId']): boolean {
  const led = a.raftLeader === self;
  const leads = b.raftLeader === self;
  return led !== leads || (leads && a.raftTerm !== b.raftTerm);
}

function sameMeta(a: MemberMeta, b: MemberMeta): boolean {
  return (
    !identityChanged(a, b) &&
    a.raftTerm === b.raftTerm &&
    a.raftLeader === b.raftLeader &&
    a.raftCommit === b.raftCommit &&
    a.loopLagP99Ms === b.loopLagP99Ms &&
    a.heapPercent === b.heapPercent &&
    a.clockOffsetMs === b.clockOffsetMs
  );
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}

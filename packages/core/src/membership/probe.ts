import type { MembershipMessage, NodeId } from '@memgrid/protocol';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import type { Courier } from './courier.ts';
import type { EffectBuffer } from './effect-buffer.ts';
import type { FlapDamping } from './flap-damping.ts';
import type { MembershipConfig } from './membership-config.ts';
import type { Member } from './member.ts';
import type { MemberTable } from './member-table.ts';
import type { ProbeList } from './probe-list.ts';
import type { SelfAwareness } from './self-awareness.ts';

export interface ProbeOptions {
  readonly config: MembershipConfig;
  readonly random: Random;
  readonly table: MemberTable;
  readonly list: ProbeList;
  readonly courier: Courier;
  readonly effects: EffectBuffer;
  readonly awareness: SelfAwareness;
  readonly flaps: FlapDamping;
  /** Draws a number for the next ping; shared with the pings made for others. */
  readonly nextNumber: () => number;
  readonly adjustHealth: (delta: number) => void;
  /** The member did not answer, directly or through others. */
  readonly accuse: (now: Instant, member: Member) => void;
}

/** One probe that is under way. */
interface Attempt {
  readonly target: Member;
  readonly number: number;
  readonly askHelpersAt: Instant;
  /** How long helpers have, from the moment at which they are asked. */
  readonly helpersMs: number;
  endsAt: Instant;
  helpersAsked: number;
  /** Helpers that were asked and have not answered. Undefined until they were asked. */
  silentHelpers: NodeId[] | undefined;
  /** A helper reached the target. */
  reachedIndirectly: boolean;
}

/**
 * Probes one member per interval: directly, then through helpers and directly again.
 *
 * States: idle (nobody to probe), resting (waiting for the next interval), asking (a ping is
 * out), helped (helpers were asked). See DESIGN.md, States.
 */
export class Probe {
  readonly #options: ProbeOptions;
  #attempt: Attempt | undefined;
  #nextAt: Instant | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  get wakeAt(): Instant | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined) return this.#nextAt;
    return attempt.silentHelpers === undefined ? attempt.askHelpersAt : attempt.endsAt;
  }

  /** Begins to probe at a random moment of the first interval, so that nodes do not march in step. */
  arm(now: Instant): void {
    const { config, random, table } = this.#options;
    if (this.#attempt !== undefined || this.#nextAt !== undefined) return;
    if (table.active.length > 0) this.#nextAt = after(now, random.unit() * config.probeIntervalMs);
  }

  wake(now: Instant): void {
    const attempt = this.#attempt;
    if (attempt === undefined) {
      if (this.#nextAt !== undefined && this.#nextAt <= now) this.#begin(now);
      return;
    }
    if (attempt.silentHelpers === undefined && attempt.askHelpersAt <= now) {
      this.#askHelpers(now, attempt);
    }
    if (attempt.endsAt > now) return;
    this.#judge(now, attempt);
    this.#begin(now);
  }

  /** The target itself answered. True when the answer was awaited. */
  acknowledged(from: NodeId, number: number): boolean {
    const attempt = this.#attempt;
    if (attempt?.number !== number || attempt.target.nodeId !== from) return false;
    this.#options.effects.direct(from, true);
    this.#succeed(attempt);
    return true;
  }

  acknowledgedIndirectly(from: NodeId, number: number, target: NodeId): void {
    const attempt = this.#attempt;
    if (attempt?.number !== number || attempt.target.nodeId !== target) return;
    if (attempt.silentHelpers === undefined || attempt.reachedIndirectly) return;
    attempt.reachedIndirectly = true;
    this.refused(from, number);
  }

  /** A helper did not reach the target either: at least the helper heard us. */
  refused(from: NodeId, number: number): void {
    const helpers = this.#attempt?.number === number ? this.#attempt.silentHelpers : undefined;
    const place = helpers?.indexOf(from) ?? -1;
    if (place >= 0) helpers?.splice(place, 1);
  }

  /** This process paused: what it did not hear meanwhile says nothing about anybody. */
  void(now: Instant): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    this.#nextAt = attempt.endsAt > now ? attempt.endsAt : now;
    this.#options.list.urge(attempt.target);
  }

  #begin(now: Instant): void {
    const { config, list, awareness, effects, courier } = this.#options;
    const target = list.next();
    this.#attempt = undefined;
    this.#nextAt = undefined;
    if (target === undefined) return;
    const number = this.#options.nextNumber();
    this.#attempt = {
      target,
      number,
      askHelpersAt: after(now, config.probeTimeoutMs * awareness.factor),
      helpersMs: (config.probeIntervalMs - config.probeTimeoutMs) * awareness.factor,
      endsAt: after(now, config.probeIntervalMs * awareness.factor),
      helpersAsked: 0,
      silentHelpers: undefined,
      reachedIndirectly: false,
    };
    effects.send(target, { type: 'ping', probe: number, updates: courier.load(now, target) });
  }

  #askHelpers(now: Instant, attempt: Attempt): void {
    const { effects, courier } = this.#options;
    const { target, number } = attempt;
    const helpers = this.#chooseHelpers(target);
    attempt.silentHelpers = helpers.map((helper) => helper.nodeId);
    attempt.helpersAsked = helpers.length;
    // After a late wake-up helpers still get their full time, or they are blamed for our delay.
    const answeredBy = after(now, attempt.helpersMs);
    if (answeredBy > attempt.endsAt) attempt.endsAt = answeredBy;
    for (const helper of helpers) {
      const body: MembershipMessage = {
        type: 'pingReq',
        probe: number,
        target: target.nodeId,
        targetAddress: target.address,
        updates: courier.load(now, helper),
      };
      effects.send(helper, body);
    }
    // The direct path once more: the first ping or its answer may just have been lost.
    effects.send(target, { type: 'ping', probe: number, updates: courier.load(now, target) });
  }

  /** Helpers in different zones, so that one broken switch does not silence all of them. */
  #chooseHelpers(target: Member): readonly Member[] {
    const { config, random, table, flaps } = this.#options;
    const able = (member: Member): boolean =>
      member !== target && member.update.liveness === 'alive' && !flaps.isUnstable(member.nodeId);
    const candidates = table.sample(random, 3 * config.helperCount, able);
    const zones = new Set<string>();
    const firsts = candidates.filter((member) => {
      const zone = member.update.meta?.zone ?? '';
      if (zones.has(zone)) return false;
      zones.add(zone);
      return true;
    });
    const others = candidates.filter((member) => !firsts.includes(member));
    return [...firsts, ...others].slice(0, config.helperCount);
  }

  #succeed(attempt: Attempt): void {
    this.#attempt = undefined;
    this.#nextAt = attempt.endsAt;
    this.#options.adjustHealth(-1);
  }

  #judge(now: Instant, attempt: Attempt): void {
    const { target, reachedIndirectly, silentHelpers, helpersAsked } = attempt;
    this.#attempt = undefined;
    // Its fate may have been decided meanwhile, by others.
    if (!target.isActive) return;
    this.#options.effects.direct(target.nodeId, false);
    if (reachedIndirectly) {
      this.#options.adjustHealth(-1);
      return;
    }
    // Each helper that did not even say that it failed casts doubt on our own path. With all of
    // them heard that path is proven and the target is to blame.
    this.#options.adjustHealth(helpersAsked === 0 ? 1 : (silentHelpers?.length ?? 0));
    this.#options.accuse(now, target);
  }
}

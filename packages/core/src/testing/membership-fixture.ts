import type {
  Generation,
  Incarnation,
  Liveness,
  MemberMeta,
  MembershipMessage,
  MemberUpdate,
  NodeId,
} from '@memgrid/protocol';
import { membershipConfig } from '../membership/membership-config.ts';
import type { MembershipOptions } from '../membership/membership-config.ts';
import { Membership } from '../membership/membership.ts';
import { leaveLock } from '../membership/leave-key.ts';
import type { MembershipEffect } from '../membership/membership-io.ts';
import type { Instant } from '../machine.ts';
import type { Digest } from '../digest.ts';
import { Random } from '../random.ts';

/** Moments of tests, in milliseconds. */
export function at(ms: number): Instant {
  return ms as Instant;
}

/** The node that tests call by one hex digit: `idOf('a')`. */
export function idOf(letter: string): NodeId {
  return letter.repeat(32) as NodeId;
}

export function letterOf(id: NodeId): string {
  return id.slice(0, 1);
}

/** The secret with which a test member proves its goodbye. */
export function keyOf(letter: string): Uint8Array {
  return new Uint8Array(16).fill(letter.charCodeAt(0));
}

/** Valid metadata with only the interesting part shown. */
export function metaOf(overrides: Partial<MemberMeta> = {}): MemberMeta {
  return {
    address: 'node:7000',
    httpAddress: '',
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    leaveLock: new Uint8Array(16),
    clusterId: undefined,
    raftTerm: 0 as MemberMeta['raftTerm'],
    raftLeader: undefined,
    raftCommit: 0 as MemberMeta['raftCommit'],
    loopLagP99Ms: 0,
    heapPercent: 0,
    clockOffsetMs: 0,
    clockSuspect: false,
    ...overrides,
  };
}

export interface UpdateShape {
  readonly of?: string;
  readonly generation?: number;
  readonly incarnation?: number;
  readonly liveness?: Liveness;
  readonly by?: string;
  readonly meta?: MemberMeta | undefined;
  readonly leaveKey?: Uint8Array;
}

/** A valid update with only the interesting part shown: by default "b is alive, says b". */
export function updateOf(shape: UpdateShape = {}): MemberUpdate {
  const { of = 'b', generation = 1, incarnation = 1, liveness = 'alive' } = shape;
  return {
    nodeId: idOf(of),
    generation: generation as Generation,
    incarnation: incarnation as Incarnation,
    liveness,
    by: idOf(shape.by ?? of),
    meta: 'meta' in shape ? shape.meta : metaOf({ address: `${of}:7000` }),
    leaveKey: shape.leaveKey,
  };
}

/** One machine, `a`, and short words for what happens to it. */
export class MembershipFixture {
  readonly machine: Membership;
  readonly digest: Digest;
  now = at(0);

  constructor(digest: Digest, options: MembershipOptions = {}) {
    this.digest = digest;
    const leaveKey = keyOf('a');
    const meta = metaOf({ address: 'a:7000', leaveLock: leaveLock(digest, leaveKey) });
    this.machine = new Membership({
      config: membershipConfig(options),
      self: { nodeId: idOf('a'), generation: 1 as Generation, meta, leaveKey },
      random: Random.of(1),
      digest,
      now: this.now,
    });
  }

  /** These members introduce themselves, in the first generation. */
  meet(letters: string): this {
    for (const of of letters) this.hear(of, [this.updateOf({ of })]);
    return this;
  }

  /** An update whose member can sign its goodbye. */
  updateOf(shape: UpdateShape): MemberUpdate {
    const of = shape.of ?? 'b';
    const lock = leaveLock(this.digest, keyOf(of));
    return updateOf({ meta: metaOf({ address: `${of}:7000`, leaveLock: lock }), ...shape });
  }

  hear(
    from: string,
    updates: readonly MemberUpdate[],
    generation = 1,
  ): readonly MembershipEffect[] {
    return this.say(from, { type: 'gossip', updates }, generation);
  }

  say(from: string, body: MembershipMessage, generation = 1): readonly MembershipEffect[] {
    return this.machine.step(this.now, {
      kind: 'message',
      from: idOf(from),
      generation: generation as Generation,
      body,
    });
  }

  /** Wakes the machine whenever it wants, until `ms`. */
  runTo(ms: number): readonly MembershipEffect[] {
    const effects: MembershipEffect[] = [];
    while ((this.machine.wakeAt ?? Infinity) <= ms) {
      this.now = at(Math.max(this.now, this.machine.wakeAt as number));
      effects.push(...this.machine.wake(this.now));
    }
    this.now = at(ms);
    return effects;
  }

  liveness(letter: string): Liveness | undefined {
    return this.machine.get(idOf(letter))?.liveness;
  }
}

/** The names of the events among effects, in order. */
export function eventNames(effects: readonly MembershipEffect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === 'event' ? [effect.event.name] : []));
}

/** The messages among effects, each with its receiver's letter. */
export function messagesIn(
  effects: readonly MembershipEffect[],
): readonly { readonly to: string; readonly body: MembershipMessage }[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' ? [{ to: letterOf(effect.to), body: effect.body }] : [],
  );
}

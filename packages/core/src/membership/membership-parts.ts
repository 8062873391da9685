import type { Generation, Incarnation, MemberMeta, MemberUpdate, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { Digest } from '../digest.ts';
import type { Random } from '../random.ts';
import { Beliefs } from './beliefs.ts';
import { Contacts } from './contacts.ts';
import { Courier } from './courier.ts';
import { Dissemination } from './dissemination.ts';
import { EffectBuffer } from './effect-buffer.ts';
import { Errands } from './errands.ts';
import { FlapDamping } from './flap-damping.ts';
import type { MembershipConfig } from './membership-config.ts';
import { MemberTable } from './member-table.ts';
import { Probe } from './probe.ts';
import { ProbeList } from './probe-list.ts';
import { PushPull } from './push-pull.ts';
import { Refusals } from './refusals.ts';
import { SelfAwareness } from './self-awareness.ts';
import { SelfRecord } from './self-record.ts';

export interface MembershipSelf {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly meta: MemberMeta;
  /** 16 bytes; `meta.leaveLock` is the first half of their SHA-256. Told to nobody before leaving. */
  readonly leaveKey: Uint8Array;
}

export interface MembershipStart {
  readonly config: MembershipConfig;
  readonly self: MembershipSelf;
  readonly random: Random;
  /** SHA-256. */
  readonly digest: Digest;
  readonly now: Instant;
}

/** A control link that is up. */
export interface PeerLink {
  readonly generation: Generation;
  readonly address: string;
}

/** The parts of one membership machine, wired together. */
export interface MembershipParts {
  readonly config: MembershipConfig;
  readonly random: Random;
  readonly table: MemberTable;
  readonly effects: EffectBuffer;
  readonly dissemination: Dissemination;
  readonly courier: Courier;
  readonly awareness: SelfAwareness;
  readonly flaps: FlapDamping;
  readonly refusals: Refusals;
  readonly contacts: Contacts;
  readonly list: ProbeList;
  readonly beliefs: Beliefs;
  readonly self: SelfRecord;
  readonly probe: Probe;
  readonly errands: Errands;
  readonly pushPull: PushPull;
  readonly links: Map<NodeId, PeerLink>;
  /** Numbers our pings, own and on behalf of others. */
  readonly nextNumber: () => number;
  readonly adjustHealth: (delta: number) => void;
}

/** Incarnations start here; 0 stands for a life that others only heard of. */
const FIRST_INCARNATION = 1 as Incarnation;

export function membershipParts(start: MembershipStart): MembershipParts {
  const { config, self, random, now, digest } = start;
  const table = new MemberTable(firstUpdate(self), now);
  const effects = new EffectBuffer();
  const dissemination = new Dissemination(config, now);
  const courier = new Courier(dissemination, config.gossipBytesMax);
  const awareness = new SelfAwareness(config.healthScoreMax);
  const flaps = new FlapDamping(config);
  const refusals = new Refusals(config);
  const contacts = new Contacts(config, random.split('contacts'));
  const list = new ProbeList(table, random.split('probe-list'));
  const beliefs = new Beliefs(
    { config, digest, table, dissemination, effects, list, flaps, refusals, contacts },
    now,
  );
  const adjustHealth = (delta: number): void => {
    if (!awareness.adjust(delta)) return;
    effects.event({ name: 'self.healthChanged', score: awareness.score });
  };
  let lastNumber = 0;
  const nextNumber = (): number => (lastNumber += 1);
  const probe = new Probe({
    ...{ config, random: random.split('probe'), table, list, courier, effects, flaps, awareness },
    ...{ nextNumber, adjustHealth },
    accuse: (at, member) => beliefs.accuse(at, member, self.nodeId),
  });
  dissemination.tell(table.self.update);
  return {
    ...{ config, random: random.split('membership'), table, effects, dissemination, courier },
    ...{ awareness, flaps, refusals, contacts, list, beliefs, probe, nextNumber, adjustHealth },
    self: new SelfRecord(
      { config, table, dissemination, effects, leaveKey: self.leaveKey },
      self.meta,
    ),
    errands: new Errands(config.helperTimeoutMs),
    pushPull: new PushPull(table, effects),
    links: new Map(),
  };
}

function firstUpdate(self: MembershipSelf): MemberUpdate {
  return {
    nodeId: self.nodeId,
    generation: self.generation,
    incarnation: FIRST_INCARNATION,
    liveness: 'alive',
    by: self.nodeId,
    meta: self.meta,
    leaveKey: undefined,
  };
}

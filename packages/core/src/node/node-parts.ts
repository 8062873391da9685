import {
  groupEpoch as toGroupEpoch,
  nodeId as toNodeId,
  type Envelope,
  type Generation,
  type MemberRecord,
} from '@memgrid/protocol';
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts';
import { cluster32 } from '../links/envelope-checks.ts';
import { Links } from '../links/links.ts';
import type { LinksEffect } from '../links/links-io.ts';
import type { Instant } from '../machine.ts';
import type { Identity } from '../node-io.ts';
import { SHARDS_DEFAULTS } from '../shards/shards-config.ts';
import { Shards } from '../shards/shards.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import type { ClusterEntry } from './cluster-entry.ts';
import { ClusterMachine } from './cluster-machine.ts';
import { DataPlane } from './data-plane.ts';
import type { NodeMachineOptions } from './node-machine-io.ts';
import type { RecoveredNode } from './node-records.ts';

/** Who this process is: the same node as the one before it on this directory, one start later. */
export function identityOf({ random }: NodeMachineOptions, recovered: RecoveredNode): Identity {
  const previous = recovered.identity;
  return {
    nodeId: previous?.nodeId ?? toNodeId(random.split('node-id').hex128()),
    generation: ((previous?.generation ?? 0) + 1) as Generation,
    clusterId: previous?.clusterId,
  };
}

export function linksOf(
  { settings, random }: NodeMachineOptions,
  self: MemberRecord,
  recovered: RecoveredNode,
): Links {
  return new Links({
    self: {
      nodeId: self.nodeId,
      generation: self.generation,
      instance: self.instance,
      address: settings.address,
      clusterId: recovered.identity?.clusterId,
      groupEpoch: recovered.control?.groupEpoch ?? toGroupEpoch(0),
      protocolMin: settings.protocolMin,
      protocolMax: settings.protocolMax,
      features: settings.features,
    },
    random: random.split('links'),
  });
}

export function dataPlaneOf(
  options: NodeMachineOptions,
  identity: Identity,
  clock: ClockKeeper,
): DataPlane {
  const { entries, now, random, records, rules, settings, shards } = options;
  const { nodeId: self, generation } = identity;
  return new DataPlane({
    shards: new Shards({
      self,
      generation,
      config: { ...SHARDS_DEFAULTS, ...shards },
      records,
      entries,
      rules,
      tick: () => clock.tick(),
      wallMs: () => clock.wallMs,
      random: random.split('shards'),
      now,
    }),
    gateway: {
      self,
      generation,
      protocolMin: settings.protocolMin,
      protocolMax: settings.protocolMax,
      limits: GATEWAY_LIMITS,
      rules,
      wallMs: () => clock.wallMs,
    },
  });
}

export function clusterOf(
  options: NodeMachineOptions,
  entry: ClusterEntry,
  { self, now }: { readonly self: MemberRecord; readonly now: Instant },
): ClusterMachine {
  const { settings, membership, election, random, digest } = options;
  const { clusterId, record, control } = entry;
  return new ClusterMachine({
    clusterId,
    groupEpoch: control?.groupEpoch ?? entry.groupEpoch ?? toGroupEpoch(0),
    self,
    httpAddress: settings.httpAddress,
    votersMax: settings.votersMax,
    founding: settings,
    membership,
    election,
    record,
    control,
    random: random.split('cluster'),
    digest,
    now,
  });
}

/** What a message of this node travels in. */
export function envelopeOf(
  effect: Extract<LinksEffect, { kind: 'transmit' }>,
  sender: {
    readonly identity: Identity;
    readonly clock: ClockKeeper;
    readonly controlIndex: number;
  },
): Envelope {
  const { identity, clock, controlIndex } = sender;
  return {
    version: effect.version,
    flags: 0,
    cluster32: cluster32(identity.clusterId),
    source: identity.nodeId,
    sourceGeneration: identity.generation,
    targetGeneration: effect.targetGeneration,
    sequence: effect.sequence,
    timestamp: clock.tick(),
    controlIndex,
    message: effect.message,
  };
}

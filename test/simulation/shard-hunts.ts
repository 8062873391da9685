import type { BreakableRule } from '@memgrid/core/testing';
import type { ShardTuning } from '@memgrid/simulator';

/** A character of days among shards in which keeping one rule matters. */
export interface ShardHunt {
  readonly tuning: Partial<ShardTuning>;
  /** Which checkers count as proof; any, when not given. */
  readonly shownBy?: readonly string[];
}

/** Whatever a seed draws. */
const anything: ShardHunt = { tuning: {} };

/** Epochs change all the time while messages are late: old and new primaries overlap. */
const restless: ShardHunt = {
  tuning: {
    shards: 1,
    thinkMs: 10,
    tailShare: 0.05,
    tailMs: 200,
    newsMs: 150,
    gapsMs: { failOver: 150, cut: 800, pause: 800 },
  },
};

/** The news of an epoch takes long: the old primary goes on as if nothing had happened. */
const behindTheTimes: ShardHunt = {
  tuning: {
    shards: 1,
    clients: 6,
    thinkMs: 8,
    newsMs: 1_500,
    tailShare: 0,
    gapsMs: { failOver: 300, cut: 400 },
  },
};

/** Nodes die with writes under way, and epochs change. */
const deadly: ShardHunt = {
  tuning: {
    shards: 2,
    thinkMs: 10,
    sync: 'disk',
    gapsMs: { crash: 300, slowDisk: 500, failOver: 300 },
  },
};

/** Shards move on and on. */
const moving: ShardHunt = {
  tuning: {
    nodes: 5,
    shards: 2,
    replicationFactor: 3,
    thinkMs: 10,
    gapsMs: { move: 200, crash: 900, cut: 900, failOver: 500, rollBack: 1_500 },
  },
};

/** A record is on the primary's disk long before anybody else has it, and reads are under way. */
const slowToArrive: ShardHunt = {
  tuning: {
    nodes: 3,
    shards: 1,
    replicationFactor: 3,
    clients: 8,
    thinkMs: 3,
    sync: 'disk',
    ordered: false,
    lossShare: 0.1,
    tailShare: 0.5,
    tailMs: 200,
    newsMs: 60,
    gapsMs: {},
  },
};

/** Primaries in a row that each reach another minority, one record at a time. */
const minorities: ShardHunt = {
  tuning: {
    nodes: 5,
    shards: 1,
    replicationFactor: 5,
    clients: 8,
    thinkMs: 5,
    sync: 'os',
    ordered: false,
    lossShare: 0,
    latencyMsMax: 20,
    tailShare: 0.05,
    tailMs: 100,
    newsMs: 5,
    gapsMs: { threeMinorities: 600 },
    config: { messageRecordsMax: 1, retryMs: 60 },
  },
};

/** Primaries that were replaced go on for long: what they took is merged after later deletes. */
const longForgotten: ShardHunt = {
  tuning: {
    ...behindTheTimes.tuning,
    gapsMs: { cut: 400, failOver: 300 },
    config: { collectAfterMs: 5_000 },
  },
};

export const SHARD_HUNTS: Readonly<Partial<Record<BreakableRule, ShardHunt>>> = {
  'shards.promise-before-serving': restless,
  'shards.persist-promise': deadly,
  'shards.reject-lower-epoch': restless,
  'shards.longest-complete-log-wins': restless,
  'shards.log-matching': restless,
  'shards.activation-record-commits': minorities,
  'shards.majority-commits': restless,
  'shards.dual-needs-both': moving,
  'shards.incomplete-does-not-count': moving,
  'shards.generation-must-match': deadly,
  'shards.quorum-read-in-sync': minorities,
  'shards.quorum-read-writes-back': slowToArrive,
  'shards.strong-read-asks': behindTheTimes,
  'shards.applied-only-committed': restless,
  'shards.dots-leased': deadly,
  'shards.operation-once': restless,
  'shards.cas-compares': anything,
  'shards.read-at-least': restless,
  'shards.tombstone-kept': longForgotten,
  'shards.expired-invisible': anything,
  'shards.stream-whole': moving,
  'shards.joiner-starts-empty': moving,
  'shards.flip-atomic': moving,
  'shards.store-before-ack': deadly,
};

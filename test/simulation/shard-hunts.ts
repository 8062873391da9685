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

/** Messages overtake each other by far, so that replicas lag while epochs change. */
const lagging: ShardHunt = {
  tuning: {
    shards: 1,
    clients: 6,
    thinkMs: 5,
    replicationFactor: 5,
    nodes: 5,
    sync: 'os',
    ordered: false,
    lossShare: 0.15,
    tailShare: 0.2,
    tailMs: 400,
    newsMs: 60,
    gapsMs: { failOver: 120, cut: 400 },
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

export const SHARD_HUNTS: Readonly<Partial<Record<BreakableRule, ShardHunt>>> = {
  'shards.promise-before-serving': restless,
  'shards.persist-promise': deadly,
  'shards.reject-lower-epoch': restless,
  'shards.longest-complete-log-wins': restless,
  'shards.log-matching': restless,
  'shards.activation-record-commits': lagging,
  'shards.majority-commits': restless,
  'shards.dual-needs-both': moving,
  'shards.incomplete-does-not-count': moving,
  'shards.generation-must-match': deadly,
  'shards.quorum-read-in-sync': lagging,
  'shards.quorum-read-writes-back': lagging,
  'shards.strong-read-asks': behindTheTimes,
  'shards.applied-only-committed': restless,
  'shards.dots-leased': deadly,
  'shards.operation-once': restless,
  'shards.cas-compares': anything,
  'shards.read-at-least': restless,
  'shards.tombstone-kept': anything,
  'shards.expired-invisible': anything,
  'shards.stream-whole': moving,
  'shards.joiner-starts-empty': moving,
  'shards.flip-atomic': moving,
  'shards.store-before-ack': deadly,
};

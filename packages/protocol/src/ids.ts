declare const brand: unique symbol;

/** A primitive that only its own parser can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Names one cluster for ever: 32 lower-case hex digits, drawn when the cluster is founded. */
export type ClusterId = Brand<string, 'ClusterId'>;

/** Names one data directory, and so one member: 32 lower-case hex digits. Never an address. */
export type NodeId = Brand<string, 'NodeId'>;

/**
 * Counts the process starts of one node. Written to disk before the first packet leaves, so no
 * two runs of one directory share a number.
 */
export type Generation = Brand<number, 'Generation'>;

/** Counts a member's own rebuttals within one generation; only that member raises it. */
export type Incarnation = Brand<number, 'Incarnation'>;

/** Raft's logical time. Starts at 1; 0 means "none yet". */
export type Term = Brand<number, 'Term'>;

/** A position in the control group's log. Starts at 1; 0 is before the first entry. */
export type LogIndex = Brand<number, 'LogIndex'>;

/**
 * Which life of the control group this is. 1 when the cluster is founded, +1 for each forced
 * recovery, so that the voters left behind cannot speak to the recovered group.
 */
export type GroupEpoch = Brand<number, 'GroupEpoch'>;

/** A slice of the keys: a whole number below the cluster's shard count. */
export type ShardId = Brand<number, 'ShardId'>;

/**
 * Who issues dots for one shard: `<node id>.<actor epoch>`, in decimal. The epoch rises whenever
 * the node may have lost what it knew of the shard, so that no dot is ever issued twice.
 */
export type ActorId = Brand<string, 'ActorId'>;

const HEX_128 = /^[0-9a-f]{32}$/;

export function clusterId(text: string): ClusterId {
  return parseHex(text, 'cluster id') as ClusterId;
}

export function nodeId(text: string): NodeId {
  return parseHex(text, 'node id') as NodeId;
}

export function generation(value: number): Generation {
  return parseCount(value, 'generation') as Generation;
}

export function incarnation(value: number): Incarnation {
  return parseCount(value, 'incarnation') as Incarnation;
}

export function term(value: number): Term {
  return parseCount(value, 'term') as Term;
}

export function logIndex(value: number): LogIndex {
  return parseCount(value, 'log index') as LogIndex;
}

export function groupEpoch(value: number): GroupEpoch {
  return parseCount(value, 'group epoch') as GroupEpoch;
}

/** @param shardCount the cluster's; a shard beyond it belongs to another cluster. */
export function shardId(value: number, shardCount: number): ShardId {
  if (!Number.isInteger(value) || value < 0 || value >= shardCount) {
    throw new RangeError(`Invalid shard ${value}: expected a whole number below ${shardCount}.`);
  }
  return value as ShardId;
}

export function actorId(node: NodeId, actorEpoch: number): ActorId {
  return `${node}.${parseCount(actorEpoch, 'actor epoch')}` as ActorId;
}

/** The first eight digits: enough to tell members apart on a screen, never used to decide. */
export function shortId(id: NodeId | ClusterId): string {
  return id.slice(0, 8);
}

function parseHex(text: string, what: string): string {
  if (!HEX_128.test(text)) {
    throw new RangeError(`Invalid ${what} "${text}": expected 32 lower-case hex digits.`);
  }
  return text;
}

function parseCount(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Invalid ${what} ${value}: expected a whole number from 0 to 2^53 - 1.`);
  }
  return value;
}

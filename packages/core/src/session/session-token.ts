import type { ClusterId, ShardId, ShardPosition } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import { positionBytes, readPositionText, roomIn, writePositionText } from './position-text.ts';
import type { ShardAt } from './position-text.ts';

/** A token must fit into a header and a log line. */
export const TOKEN_CHARS_MAX = 1024;

/**
 * What a session has seen of each shard: no later read may rest on less. See DESIGN.md, Q1.
 *
 * A later place is a higher epoch, or the same epoch and a higher index: what one primary logged
 * and the next one never had is gone, and the log goes on below it.
 */
export class SessionToken {
  readonly #cluster32: number;
  readonly #epoch: Float64Array;
  readonly #index: Float64Array;
  /** When it was last raised; and counted, to know which shards matter most now. */
  readonly #raisedAt: Float64Array;
  readonly #touched: Float64Array;
  /** Of a partial token: what was seen here is not known. */
  readonly #unknown: Uint8Array;
  #touches = 0;

  constructor(clusterId: ClusterId, shardCount: number) {
    this.#cluster32 = parseInt(clusterId.slice(0, 8), 16);
    this.#epoch = new Float64Array(shardCount);
    this.#index = new Float64Array(shardCount);
    this.#raisedAt = new Float64Array(shardCount).fill(-Infinity);
    this.#touched = new Float64Array(shardCount);
    this.#unknown = new Uint8Array(shardCount);
  }

  /** What a read of this shard must have applied at least. */
  indexOf(shard: ShardId): number {
    return this.#index[shard] ?? 0;
  }

  /** What was seen before is not known, so only a linearizable read is certain not to go back. */
  isUnknown(shard: ShardId): boolean {
    return this.#unknown[shard] === 1;
  }

  /** A linearizable read answered: whatever was seen before, this is not older. */
  settle(shard: ShardId): void {
    this.#unknown[shard] = 0;
  }

  /** When the place in this shard last moved. */
  raisedAt(shard: ShardId): Instant {
    return (this.#raisedAt[shard] ?? -Infinity) as Instant;
  }

  raise(shard: ShardId, at: ShardPosition, now: Instant): void {
    if (at.index === 0 || broken('session.token-rises')) return;
    this.#touches += 1;
    this.#touched[shard] = this.#touches;
    const epoch = this.#epoch[shard] as number;
    if (at.epoch < epoch || (at.epoch === epoch && at.index <= this.indexOf(shard))) return;
    this.#epoch[shard] = at.epoch;
    this.#index[shard] = at.index;
    this.#raisedAt[shard] = now;
  }

  /**
   * Text for another session. The shards touched last go first when there are too many (about 120
   * fit); the text then says so, and its reader asks majorities about the rest. See DESIGN.md, Q2.
   */
  text(): string {
    const shards: ShardId[] = [];
    let unknown = false;
    for (let shard = 0; shard < this.#index.length; shard += 1) {
      if ((this.#touched[shard] as number) > 0) shards.push(shard as ShardId);
      if (this.#unknown[shard] === 1) unknown = true;
    }
    const chosen = this.#fitting(shards);
    return writePositionText({
      kind: 'session',
      of32: this.#cluster32,
      shardCount: this.#index.length,
      partial: unknown || chosen.length < shards.length,
      positions: chosen.map((shard) => this.#at(shard)),
    });
  }

  /** Why a text is no token of this cluster; undefined when it is one. */
  problemWith(text: string): string | undefined {
    if (text.length > TOKEN_CHARS_MAX) return `it is longer than ${TOKEN_CHARS_MAX} characters`;
    const read = readPositionText(text, 'session');
    if (read.kind === 'invalid') return read.problem;
    if (read.text.of32 !== this.#cluster32) return 'it is of another cluster';
    if (read.text.shardCount !== this.#index.length) {
      return `it is of a cluster with ${read.text.shardCount} shards`;
    }
    return undefined;
  }

  /** From now on also what the session of `text` saw. A text with a problem changes nothing. */
  merge(text: string, now: Instant): void {
    if (this.problemWith(text) !== undefined) return;
    const read = readPositionText(text, 'session');
    if (read.kind === 'invalid') return;
    if (read.text.partial) this.#unknown.fill(1);
    for (const at of read.text.positions) {
      this.raise(at.shard, at, now);
      if (read.text.partial) this.#unknown[at.shard] = 0;
    }
  }

  #at(shard: ShardId): ShardAt {
    return { shard, epoch: this.#epoch[shard] as number, index: this.#index[shard] as number };
  }

  #fitting(shards: readonly ShardId[]): readonly ShardId[] {
    const latestFirst = [...shards].sort(
      (a, b) => (this.#touched[b] as number) - (this.#touched[a] as number),
    );
    // The distance between two shards takes two bytes at most, whichever are chosen.
    const gapMax = this.#index.length - 1;
    let room = roomIn(TOKEN_CHARS_MAX);
    const chosen: ShardId[] = [];
    for (const shard of latestFirst) {
      room -= positionBytes(gapMax, this.#at(shard));
      if (room < 0) break;
      chosen.push(shard);
    }
    return chosen.sort((a, b) => a - b);
  }
}

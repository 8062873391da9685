import type { ShardId } from '@memgrid/protocol';
import {
  encodeValue,
  entryStateField,
  NEVER_WRITTEN,
  parseStoredKey,
  writeSetBlind,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { decodeState, isExpired, type StoredSibling, versionOf, winnerOf } from './entry-view.ts';
import type { KeptOrphans } from './kept-orphans.ts';
import type { OrphanRefusal, OrphanReply, OrphanRequest, OrphanStatus } from './orphans-io.ts';
import type { ShardContext } from './shard-context.ts';
import { encodeOrphan, type Orphan, orphanKey } from './shard-records.ts';

type Tell = (reply: OrphanReply) => void;

/**
 * What an operator sees of the orphans of one shard, and decides about those that are parked. See
 * DESIGN.md, F21.
 */
export class ParkedOrphans {
  readonly #context: ShardContext;
  readonly #shard: ShardId;
  readonly #kept: KeptOrphans;

  constructor(context: ShardContext, shard: ShardId, kept: KeptOrphans) {
    this.#context = context;
    this.#shard = shard;
    this.#kept = kept;
  }

  get parkedCount(): number {
    return this.#kept.count - this.#kept.openCount;
  }

  get waitingCount(): number {
    return this.#kept.openCount;
  }

  has(number: number): boolean {
    return this.#kept.get(number) !== undefined;
  }

  /** Of this state; `limit` of them. In order of number. */
  list(state: OrphanStatus['state'], limit: number): readonly OrphanStatus[] {
    if (limit <= 0 || this.#kept.count === 0) return [];
    const wanted = this.#kept.all().filter(({ parked }) => parked === (state === 'parked'));
    return wanted.slice(0, limit).map((orphan) => statusOf(this.#shard, orphan));
  }

  /**
   * The write is made again, with a dot and a time of now: it becomes the value that is shown, and
   * what the key holds stays beside it.
   */
  merge(number: number, tell: Tell): void {
    const orphan = this.#parked(number, tell);
    if (orphan === undefined) return;
    const { value } = writeOf(orphan);
    if (isExpired(value, this.#context.nowMs)) {
      tell(refused('expired'));
      return;
    }
    const { dots, storage } = this.#context;
    if (!dots.isReady) {
      dots.whenReady(() => this.merge(number, tell));
      return;
    }
    const timestamp = this.#context.tick();
    const sibling: StoredSibling = { dot: dots.issue(), value: { ...value, timestamp } };
    const merging: Orphan = {
      // "Taken" may still be under way to the old number.
      number: this.#context.nextNumber(),
      key: orphan.key,
      state: encodeValue(entryStateField, writeSetBlind(NEVER_WRITTEN, sibling)),
      timestamp,
      operationId: '',
      fingerprint: 0,
      parked: false,
    };
    this.#kept.delete(number);
    this.#kept.set(merging);
    this.#context.touched.add(this.#shard);
    const version = versionOf(sibling);
    const told: OrphanReply = { kind: 'orphanMerging', orphan: merging.number, version };
    storage.write(
      [
        { kind: 'delete', key: orphanKey(this.#shard, number) },
        {
          kind: 'put',
          key: orphanKey(this.#shard, merging.number),
          value: encodeOrphan(merging),
        },
      ],
      true,
      () => tell(told),
    );
  }

  drop(number: number, tell: Tell): void {
    const orphan = this.#parked(number, tell);
    if (orphan === undefined) return;
    const shard = this.#shard;
    this.#kept.delete(number);
    const { namespace, id } = parseStoredKey(orphan.key);
    const detail = `A parked write of ${JSON.stringify(id)} in ${namespace} was dropped.`;
    this.#context.outbox.event({ name: 'orphan.dropped', shard, detail });
    this.#context.storage.write([{ kind: 'delete', key: orphanKey(shard, number) }], true, () =>
      tell({ kind: 'orphanDropped', orphan: number }),
    );
  }

  #parked(number: number, tell: Tell): Orphan | undefined {
    const orphan = this.#kept.get(number);
    if (orphan?.parked === true) return orphan;
    tell(refused(orphan === undefined ? 'absent' : 'waiting'));
    return undefined;
  }
}

/** Answers what an operator asks about all shards of a node, which are given by number. */
export function answerOrphans(
  shards: Iterable<ParkedOrphans>,
  ask: OrphanRequest,
  tell: Tell,
): void {
  const all = [...shards];
  if (ask.kind === 'listOrphans') {
    tell(listed(all, ask.limit));
    return;
  }
  const found = all.find((one) => one.has(ask.orphan));
  if (found === undefined) tell(refused('absent'));
  else if (ask.kind === 'mergeOrphan') found.merge(ask.orphan, tell);
  else found.drop(ask.orphan, tell);
}

function listed(shards: readonly ParkedOrphans[], limit: number): OrphanReply {
  const orphans: OrphanStatus[] = [];
  let [parked, waiting] = [0, 0];
  for (const state of ['parked', 'waiting'] as const) {
    for (const shard of shards) orphans.push(...shard.list(state, limit - orphans.length));
  }
  for (const { parkedCount, waitingCount } of shards) {
    parked += parkedCount;
    waiting += waitingCount;
  }
  return { kind: 'orphans', orphans, parked, waiting };
}

function refused(reason: OrphanRefusal): OrphanReply {
  return { kind: 'orphanRefused', reason };
}

function writeOf({ key, state }: Orphan): StoredSibling {
  const winner = winnerOf(decodeState(state));
  invariant(winner !== undefined, `An orphan of ${key} has no version.`);
  return winner;
}

function statusOf(shard: ShardId, orphan: Orphan): OrphanStatus {
  const write = writeOf(orphan);
  const { namespace, id: key } = parseStoredKey(orphan.key);
  const { kind, entry, expiresAt } = write.value;
  return {
    shard,
    orphan: orphan.number,
    state: orphan.parked ? 'parked' : 'waiting',
    namespace,
    key,
    kind,
    version: versionOf(write),
    expiresAt,
    entry,
    bytes: orphan.state.byteLength,
  };
}

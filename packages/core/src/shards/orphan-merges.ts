import type { EntryState, NodeId, OrphanTaken, ShardId, ShardPosition } from '@memgrid/protocol';
import {
  encodeValue,
  entryStateField,
  joinSets,
  NEVER_WRITTEN,
  operationIdMs,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import type { StoredEntry } from '../entries/entry-table.ts';
import { decodeState, isLaterSibling, versionOf, winnerOf } from './entry-view.ts';
import type { Mending } from './mending.ts';
import type { Primary } from './primary.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import type { Orphan } from './shard-records.ts';

export interface OrphanMergesOwner {
  readonly shard: ShardId;
  readonly copy: ShardCopy;
  readonly primary: Primary | undefined;
  readonly mending: Mending;
}

/** An orphan, of this node or of another one. */
export interface Merge {
  readonly from: NodeId;
  readonly orphan: number;
}

/** What a merge joins in. */
export type OfferedWrite = Pick<Orphan, 'key' | 'state' | 'operationId' | 'fingerprint'>;

/**
 * In place of the state of an orphan whose operation its holder has applied from the log: it only
 * asks whether a quorum has that on disk. Nothing else offers a state without a version.
 */
export const CARRIED_OUT: Uint8Array = encodeValue(entryStateField, NEVER_WRITTEN);

/** Concurrent values of one key; more are cut to the latest ones. */
const SIBLINGS_KEPT = 8;

/**
 * The primary's half of what orphans are about: each offered write becomes a concurrent value, once,
 * and its holder is told when a quorum has it on disk. See DESIGN.md, F16, F20 and F21.
 */
export class OrphanMerges {
  readonly #context: ShardContext;
  readonly #owner: OrphanMergesOwner;
  /** This node's own orphans are offered to it as well. */
  readonly #onTaken: (taken: OrphanTaken) => void;
  /** By the position of their records: another primary may settle another record at an index. */
  readonly #merges = new Map<string, Merge[]>();
  /** By holder and number: up to where it is to apply the log before its orphan is merged. */
  readonly #awaited = new Map<string, number>();
  /** The last record that was logged only so that what is before it is on disk. */
  #guard: ShardPosition | undefined;

  constructor(
    context: ShardContext,
    owner: OrphanMergesOwner,
    onTaken: (taken: OrphanTaken) => void,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#onTaken = onTaken;
  }

  /** Merges under way may not be committed by the next primary: they will be offered again. */
  forget(): void {
    this.#merges.clear();
    this.#awaited.clear();
    this.#guard = undefined;
  }

  /** A record took effect: perhaps a merge that somebody waits for. */
  applied(at: ShardPosition): void {
    if (this.#merges.size === 0) return;
    const merges = this.#merges.get(nameOf(at));
    if (merges === undefined) return;
    this.#merges.delete(nameOf(at));
    for (const merge of merges) this.#tell(merge, false);
    this.#context.outbox.event({ name: 'orphan.merged', shard: this.#owner.shard });
  }

  offer(merge: Merge, write: OfferedWrite): void {
    const { copy, mending, primary } = this.#owner;
    if (primary?.isActive !== true) return;
    if (this.#isCarriedOut(merge, write) || this.#mayBeInLog(merge, write)) return;
    const offered = decodeState(write.state);
    const own = winnerOf(offered);
    if (own === undefined) {
      // Whether this log is the one that its holder has applied is certain only where they match.
      if (this.#hasMatched(merge)) this.#tellWhenSafe(merge, copy.commit);
      return;
    }
    if (own.value.timestamp.ms <= copy.collectedAt.ms) {
      // A delete of the same key may have been forgotten since: nobody can tell any more.
      this.#tell(merge, true);
      return;
    }
    mending.find(write.key, (found) => {
      const current = this.#owner.primary;
      if (current?.isActive !== true || current !== primary) return;
      // A repetition may have come while the disk was read.
      if (this.#isCarriedOut(merge, write)) return;
      this.#join(merge, write, { offered, found, primary });
    });
  }

  #join(
    merge: Merge,
    write: OfferedWrite,
    {
      offered,
      found,
      primary,
    }: {
      readonly offered: EntryState;
      readonly found: StoredEntry | 'absent';
      readonly primary: Primary;
    },
  ): void {
    const { copy, shard } = this.#owner;
    const { key, fingerprint } = write;
    const operationId = this.#isReused(write) ? '' : write.operationId;
    const index = copy.latestIndexOf(key);
    const before = latestState(copy, key, found);
    const state = encodeValue(entryStateField, cut(joinSets(before, offered)));
    // Under an id it is logged even if it changes nothing, so that a repetition is known.
    if (operationId === '' && isEqual(state, encodeValue(entryStateField, before))) {
      this.#tellWhenSafe(
        merge,
        index ?? (found === 'absent' ? copy.applied.index : found.at.index),
      );
      return;
    }
    const winner = winnerOf(offered);
    const body = {
      kind: 'write',
      key,
      state,
      operationId,
      timestamp: this.#context.tick(),
      answeredEarly: false,
      fingerprint,
      ...(winner === undefined ? {} : { version: versionOf(winner) }),
    } as const;
    this.#await({ epoch: primary.epoch, index: primary.append(body, 'disk') }, merge);
    this.#context.touched.add(shard);
  }

  /** Whether the log has the operation already: a repetition was faster, or this is one. */
  #isCarriedOut(merge: Merge, { operationId, fingerprint }: OfferedWrite): boolean {
    if (operationId === '' || broken('shards.operation-once')) return false;
    const { copy } = this.#owner;
    const known = copy.operations.get(operationId);
    if (known !== undefined) {
      // Somebody used the id for another request: that was acknowledged too, and must not be lost.
      if (known.fingerprint !== fingerprint) return false;
      this.#tellWhenSafe(merge, known.at.index);
      return true;
    }
    const index = copy.loggedIndexOf(operationId);
    const logged = index === undefined ? undefined : copy.log.at(index)?.body;
    if (index === undefined || logged?.kind !== 'write') return false;
    if (logged.fingerprint !== fingerprint) return false;
    this.#tellWhenSafe(merge, index);
    return true;
  }

  /**
   * Whether the log may have the operation, and this primary has forgotten it. The holder finds that
   * out: it looks for it in what it applies. Until it has applied what is committed now, its orphan
   * waits; whoever is no replica any more has no log to look into.
   */
  #mayBeInLog({ from, orphan }: Merge, { operationId }: OfferedWrite): boolean {
    const { copy, primary } = this.#owner;
    const peer = primary?.replication.peer(from);
    const ms = operationIdMs(operationId);
    if (peer === undefined || ms === undefined || ms > copy.operations.floor) return false;
    const name = `${from}/${orphan}`;
    const upTo = this.#awaited.get(name) ?? copy.commit;
    this.#awaited.delete(name);
    if (peer.applied >= upTo) return false;
    // Withdrawn ones stay behind. Without them every offer only waits once more.
    if (this.#awaited.size >= this.#context.config.waitingOperationsMax) this.#awaited.clear();
    this.#awaited.set(name, upTo);
    return true;
  }

  /** Whether the holder's log is this one, up to what is committed. */
  #hasMatched({ from }: Merge): boolean {
    const { copy, primary } = this.#owner;
    if (from === this.#context.self) return true;
    return (primary?.replication.peer(from)?.match.memory ?? 0) >= copy.commit;
  }

  /** Whether another request was carried out under the same id. */
  #isReused({ operationId }: OfferedWrite): boolean {
    const { copy } = this.#owner;
    if (operationId === '') return false;
    if (copy.operations.get(operationId) !== undefined) return true;
    return copy.loggedIndexOf(operationId) !== undefined;
  }

  /**
   * The log has at `index` what was offered. A holder keeps its orphan until a quorum has that on
   * disk, whatever class it was logged at: a later record of class `disk` vouches for it.
   */
  #tellWhenSafe(merge: Merge, index: number): void {
    const { copy, primary, shard } = this.#owner;
    if (index <= copy.safeIndex) {
      this.#tell(merge, false);
      return;
    }
    if (primary === undefined) return;
    if (index > copy.applied.index && copy.log.at(index)?.sync === 'disk') {
      this.#await(copy.log.positionAt(index), merge);
      return;
    }
    let guard = this.#guard;
    if (guard === undefined || guard.index < index || guard.index <= copy.applied.index) {
      guard = { epoch: primary.epoch, index: primary.append({ kind: 'activate' }, 'disk') };
      this.#guard = guard;
      this.#context.touched.add(shard);
    }
    this.#await(guard, merge);
  }

  #await(at: ShardPosition, merge: Merge): void {
    const merges = this.#merges.get(nameOf(at)) ?? [];
    if (merges.some(({ from, orphan }) => from === merge.from && orphan === merge.orphan)) return;
    this.#merges.set(nameOf(at), [...merges, merge]);
  }

  #tell({ from, orphan }: Merge, parked: boolean): void {
    const { shard } = this.#owner;
    const taken: OrphanTaken = { type: 'orphanTaken', shard, orphan, parked };
    if (from === this.#context.self) this.#onTaken(taken);
    else this.#context.outbox.send(from, taken);
  }
}

/** What a key holds at a replica: logged or applied. */
export function latestState(
  copy: ShardCopy,
  key: string,
  found: StoredEntry | 'absent',
): EntryState {
  const index = copy.latestIndexOf(key);
  const body = index === undefined ? undefined : copy.log.at(index)?.body;
  if (body?.kind === 'write') return decodeState(body.state);
  return found === 'absent' ? NEVER_WRITTEN : decodeState(found.state);
}

/** Keeps the latest of too many concurrent values; the context still covers the others. */
function cut(state: EntryState): EntryState {
  if (state.siblings.length <= SIBLINGS_KEPT) return state;
  const latest = state.siblings
    .toSorted((a, b) => (isLaterSibling(a, b) ? -1 : 1))
    .slice(0, SIBLINGS_KEPT);
  return { ...state, siblings: state.siblings.filter((sibling) => latest.includes(sibling)) };
}

function nameOf({ epoch, index }: ShardPosition): string {
  return `${epoch}:${index}`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}

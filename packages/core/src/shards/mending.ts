import type {
  NodeId,
  ShardConfig,
  ShardEpoch,
  ShardId,
  StreamChunk,
  StreamOpen,
} from '@memgrid/protocol';
import { decodeStoredEntry, encodeStoredEntry } from '../entries/stored-entry.ts';
import type { StoredEntry } from '../entries/entry-table.ts';
import { after, type Instant } from '../machine.ts';
import type { FoundState } from './entry-loads.ts';
import { readMembers } from './quorum-rule.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';
import { chunkChecksum } from './streams/chunk-checksum.ts';

export interface MendingOwner {
  readonly shard: ShardId;
  readonly promised: ShardEpoch;
  readonly config: ShardConfig | undefined;
  readonly copy: ShardCopy;
}

interface Damage {
  readonly problem: string;
  /** Names the question that is under way. */
  number: number;
  askedAt: Instant;
  attempts: number;
  readonly waiting: (() => void)[];
}

/**
 * Entries of this replica whose bytes on disk are not what was written. Nobody is shown them, nor
 * told that they are absent: another replica has them, and gives them back. See DESIGN.md, F23.
 */
export class Mending {
  readonly #context: ShardContext;
  readonly #owner: MendingOwner;
  readonly #damaged = new Map<string, Damage>();

  constructor(context: ShardContext, owner: MendingOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Nothing is damaged, as far as anybody has looked. */
  get isIdle(): boolean {
    return this.#damaged.size === 0;
  }

  /** What is stored under a key, once it is known: a damaged one is fetched first. */
  find(key: string, then: (found: Exclude<FoundState, { problem: string }>) => void): void {
    const damage = this.#damaged.get(key);
    if (damage !== undefined) {
      damage.waiting.push(() => this.find(key, then));
      return;
    }
    const { shard, copy } = this.#owner;
    this.#context.loads.find({ shard, slot: copy.slot, key }, (found) => {
      if (found === 'absent' || !('problem' in found)) {
        then(found);
        return;
      }
      if (this.#owner.copy === copy) this.quarantine(key, found.problem);
      this.find(key, then);
    });
  }

  /** Runs `then` once nothing is damaged: a list must not miss what is only being mended. */
  whenWhole(then: () => void): void {
    const [first] = this.#damaged.values();
    if (first === undefined) then();
    else first.waiting.push(() => this.whenWhole(then));
  }

  /** The bytes of an entry cannot be used. */
  quarantine(key: string, problem: string): void {
    const { shard, copy } = this.#owner;
    if (this.#damaged.has(key)) return;
    const inMemory = this.#context.entries.get(shard, copy.slot, key);
    this.#context.outbox.event({ name: 'entry.quarantined', shard, key, problem });
    if (typeof inMemory === 'object') {
      // Only the disk has it wrong: it is written again.
      copy.restore(key, inMemory);
      this.#context.outbox.event({ name: 'entry.refetched', shard, key });
      return;
    }
    const logged = this.#inLog(key);
    if (logged !== undefined) {
      // Forgotten already, and the disk is only to hear of it?
      if (copy.isCollected(logged)) copy.remove(key);
      else copy.restore(key, logged);
      this.#context.outbox.event({ name: 'entry.refetched', shard, key });
      return;
    }
    const damage: Damage = {
      problem,
      number: 0,
      askedAt: this.#context.now,
      attempts: 0,
      waiting: [],
    };
    this.#damaged.set(key, damage);
    this.#ask(key, damage);
  }

  /** What the retained log says, if the entry was written so lately. */
  #inLog(key: string): StoredEntry | undefined {
    const { log, applied } = this.#owner.copy;
    for (let index = applied.index; index > log.base.index; index -= 1) {
      const logged = log.at(index) as LoggedRecord;
      const body = logged.read();
      if (body.kind !== 'write' || body.key !== key) continue;
      return { at: { epoch: logged.epoch, index }, state: body.state };
    }
    return undefined;
  }

  /** A record of the log has replaced the entry, damaged or not. */
  replaced(key: string): void {
    if (this.#damaged.size > 0 && this.#damaged.has(key)) this.#end(key);
  }

  /** The copy is another one: what was damaged in the old one does not matter. */
  reset(): void {
    for (const key of [...this.#damaged.keys()]) this.#end(key);
  }

  /** Another replica asks for entries that are damaged there. */
  answer(from: NodeId, open: StreamOpen): void {
    const { shard, stream, epoch, keys } = open;
    const { copy } = this.#owner;
    const [key] = keys;
    if (key === undefined || this.#damaged.has(key)) return;
    this.#context.loads.find({ shard, slot: copy.slot, key }, (found) => {
      if (this.#owner.copy !== copy || (found !== 'absent' && 'problem' in found)) return;
      const entries = found === 'absent' ? [] : [{ key, state: encodeStoredEntry(found) }];
      this.#context.outbox.send(from, {
        type: 'streamChunk',
        shard,
        epoch,
        stream,
        chunk: 1,
        base: copy.applied,
        entries,
        operations: [],
        doneAt: copy.applied.index,
        checksum: chunkChecksum(entries, []),
      });
    });
  }

  /** @returns whether the chunk answers a question of this replica. */
  onChunk(chunk: StreamChunk): boolean {
    const found = [...this.#damaged].find(([, { number }]) => number === chunk.stream);
    if (found === undefined) return false;
    const [key] = found;
    const { copy } = this.#owner;
    if (chunk.checksum !== chunkChecksum(chunk.entries, chunk.operations)) return true;
    // No record that is retained here wrote it, so whoever has applied everything before them has
    // the same state. Whoever has not is not asked in vain: the next one is.
    if (chunk.doneAt < copy.log.base.index) return true;
    const streamed = chunk.entries.find((entry) => entry.key === key);
    const entry = streamed === undefined ? undefined : decodeStoredEntry(streamed.state);
    if (entry === undefined || copy.isCollected(entry)) copy.remove(key);
    else copy.mend(key, entry);
    this.#context.outbox.event({ name: 'entry.refetched', shard: this.#owner.shard, key });
    this.#end(key);
    return true;
  }

  get wakeAt(): Instant | undefined {
    let wakeAt: Instant | undefined;
    if (this.isIdle) return wakeAt;
    for (const { askedAt } of this.#damaged.values()) {
      const at = after(askedAt, this.#context.config.retryMs);
      if (wakeAt === undefined || at < wakeAt) wakeAt = at;
    }
    return wakeAt;
  }

  wake(now: Instant): void {
    for (const [key, damage] of this.#damaged) {
      if (after(damage.askedAt, this.#context.config.retryMs) <= now) this.#ask(key, damage);
    }
  }

  #end(key: string): void {
    const damage = this.#damaged.get(key);
    this.#damaged.delete(key);
    this.#context.touched.add(this.#owner.shard);
    for (const then of damage?.waiting ?? []) then();
  }

  #ask(key: string, damage: Damage): void {
    damage.askedAt = this.#context.now;
    const { config, shard, promised } = this.#owner;
    if (config === undefined) return;
    const { self } = this.#context;
    const others = readMembers(config).filter((node) => node !== self);
    // The primary first, because it is behind nobody; then one after the other.
    const primaryFirst = others.sort((a, b) => rank(a, config) - rank(b, config));
    const to = primaryFirst[damage.attempts % Math.max(1, primaryFirst.length)];
    damage.attempts += 1;
    if (to === undefined) return;
    damage.number = this.#context.nextNumber();
    this.#context.outbox.send(to, {
      type: 'streamOpen',
      shard,
      epoch: promised,
      session: config.session,
      stream: damage.number,
      keys: [key],
    });
  }
}

function rank(node: NodeId, { primary }: ShardConfig): number {
  return node === primary ? 0 : 1;
}

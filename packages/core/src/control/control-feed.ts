import {
  decodeCommand,
  LIMITS,
  WireError,
  type ConfigDelta,
  type ConfigPull,
  type ConfigSnapshot,
  type LogEntry,
  type LogIndex,
  type NodeId,
  type ShardConfig,
  type Term,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import { after, type Instant, type Machine } from '../machine.ts';
import { CommandHistory } from './command-history.ts';
import {
  PULL_TIMEOUT_MS,
  type ControlFeedEffect,
  type ControlFeedInput,
  type FeedMessage,
} from './control-feed-io.ts';
import { decodeControlImage, encodeControlImage } from './control-image.ts';
import { ControlState } from './control-state.ts';

interface Pull {
  readonly peer: NodeId;
  readonly deadline: Instant;
}

interface Assembly {
  readonly from: NodeId;
  readonly index: LogIndex;
  readonly bytes: Uint8Array;
  received: number;
}

/**
 * Holds the control state and keeps it current.
 *
 * Members of the control group apply what the group commits. Everybody else pulls from any peer
 * that is further: what is committed never changes, so a stale copy is old but never wrong.
 * See DESIGN.md.
 */
export class ControlFeed implements Machine<ControlFeedInput, ControlFeedEffect> {
  #state: ControlState | undefined;
  #history: CommandHistory;
  #inGroup = false;
  #pull: Pull | undefined;
  #news: { peer: NodeId; index: number } | undefined;
  #assembly: Assembly | undefined;
  #registryTouched = false;
  #restoredShards: readonly ShardConfig[] | undefined;
  #effects: ControlFeedEffect[] = [];

  constructor(state: ControlState | undefined) {
    this.#state = state;
    this.#history = new CommandHistory(state?.index ?? (0 as LogIndex));
  }

  get state(): ControlState | undefined {
    return this.#state;
  }

  get wakeAt(): Instant | undefined {
    return this.#pull?.deadline;
  }

  step(now: Instant, input: ControlFeedInput): readonly ControlFeedEffect[] {
    switch (input.kind) {
      case 'message':
        this.#message(now, input.from, input.body);
        break;
      case 'news':
        this.#heardNews(now, input.peer, input.index, input.groupEpoch);
        break;
      case 'committed':
        this.#committed(input.entries);
        break;
      case 'restored':
        this.#restore(new ControlState(input.image));
        break;
      case 'inGroup':
        this.#inGroup = input.inGroup;
        if (input.inGroup) this.#pull = undefined;
        break;
    }
    return this.#take();
  }

  wake(now: Instant): readonly ControlFeedEffect[] {
    if (this.#pull !== undefined && this.#pull.deadline <= now) {
      this.#pull = undefined;
      this.#assembly = undefined;
      this.#news = undefined;
    }
    return this.#take();
  }

  #message(now: Instant, from: NodeId, body: FeedMessage): void {
    switch (body.type) {
      case 'configPull':
        this.#serve(from, body);
        break;
      case 'configDelta':
        this.#acceptDelta(now, from, body);
        break;
      case 'configSnapshot':
        this.#acceptSnapshot(now, from, body);
        break;
    }
  }

  // Giving.

  #serve(to: NodeId, pull: ConfigPull): void {
    const state = this.#state;
    if (state === undefined || pull.groupEpoch > state.groupEpoch) return;
    const current = pull.groupEpoch === state.groupEpoch;
    if (current && pull.after >= state.index) return;
    const since = current ? this.#history.since(pull.after) : undefined;
    if (since === undefined) {
      this.#serveSnapshot(to, state);
      return;
    }
    const last = since.commands.at(-1)?.index ?? pull.after;
    const body: ConfigDelta = {
      type: 'configDelta',
      groupEpoch: state.groupEpoch,
      from: pull.after,
      to: since.complete ? state.index : last,
      commands: since.commands,
    };
    this.#effects.push({ kind: 'send', to, body });
  }

  #serveSnapshot(to: NodeId, state: ControlState): void {
    const bytes = encodeControlImage(state.image());
    for (let offset = 0; offset < bytes.length; offset += LIMITS.snapshotChunkBytesMax) {
      const body: ConfigSnapshot = {
        type: 'configSnapshot',
        groupEpoch: state.groupEpoch,
        index: state.index,
        term: state.term,
        offset,
        totalBytes: bytes.length,
        bytes: bytes.slice(offset, offset + LIMITS.snapshotChunkBytesMax),
      };
      this.#effects.push({ kind: 'send', to, body });
    }
  }

  // Taking.

  #heardNews(now: Instant, peer: NodeId, index: number, groupEpoch: number): void {
    const state = this.#state;
    const regrouped = state !== undefined && groupEpoch > state.groupEpoch;
    const known = regrouped ? 0 : (state?.index ?? 0);
    if (index <= known || (this.#inGroup && !regrouped)) return;
    if (this.#pull !== undefined) {
      if (index > (this.#news?.index ?? 0)) this.#news = { peer, index };
      return;
    }
    this.#ask(now, peer);
  }

  #ask(now: Instant, peer: NodeId): void {
    this.#pull = { peer, deadline: after(now, PULL_TIMEOUT_MS) };
    const body: ConfigPull = {
      type: 'configPull',
      groupEpoch: this.#state?.groupEpoch ?? (0 as ConfigPull['groupEpoch']),
      after: this.#state?.index ?? (0 as LogIndex),
    };
    this.#effects.push({ kind: 'send', to: peer, body });
  }

  #acceptDelta(now: Instant, from: NodeId, delta: ConfigDelta): void {
    const state = this.#state;
    if (this.#pull?.peer !== from || state === undefined) return;
    if (delta.groupEpoch !== state.groupEpoch || delta.from > state.index) return;
    for (const { index, term, command } of delta.commands) this.#applyBytes(index, term, command);
    if (delta.to > state.index) state.advance(delta.to, state.term);
    this.#caughtUp(now, from);
  }

  #acceptSnapshot(now: Instant, from: NodeId, chunk: ConfigSnapshot): void {
    if (this.#pull?.peer !== from) return;
    if (chunk.totalBytes > LIMITS.snapshotBytesMax) return;
    const assembly = this.#assemblyFor(from, chunk);
    if (assembly === undefined) return;
    assembly.bytes.set(chunk.bytes, chunk.offset);
    assembly.received += chunk.bytes.length;
    this.#pull = { peer: from, deadline: after(now, PULL_TIMEOUT_MS) };
    if (assembly.received < assembly.bytes.length) return;
    this.#assembly = undefined;
    const image = orUndefined(() => decodeControlImage(assembly.bytes));
    if (image === undefined || image.groupEpoch !== chunk.groupEpoch) return;
    if (this.#restore(new ControlState(image))) this.#caughtUp(now, from);
  }

  #assemblyFor(from: NodeId, chunk: ConfigSnapshot): Assembly | undefined {
    const present = this.#assembly;
    const continues =
      present?.from === from &&
      present.index === chunk.index &&
      present.bytes.length === chunk.totalBytes &&
      present.received === chunk.offset;
    if (!continues && chunk.offset !== 0) return undefined;
    if (!continues) {
      this.#assembly = {
        from,
        index: chunk.index,
        bytes: new Uint8Array(chunk.totalBytes),
        received: 0,
      };
    }
    const assembly = this.#assembly;
    const fits = chunk.offset + chunk.bytes.length <= chunk.totalBytes;
    return fits ? assembly : undefined;
  }

  #caughtUp(now: Instant, from: NodeId): void {
    this.#pull = undefined;
    const index = this.#state?.index ?? (0 as LogIndex);
    this.#effects.push({ kind: 'event', event: { name: 'control.caughtUp', index, from } });
    this.#changed();
    const news = this.#news;
    this.#news = undefined;
    if (news !== undefined && news.index > index) this.#ask(now, news.peer);
  }

  // Applying.

  #committed(entries: readonly LogEntry[]): void {
    const state = this.#state;
    invariant(state !== undefined, 'The group committed entries before there was a control state.');
    let moved = false;
    for (const { index, term, payload } of entries) {
      // What the feed brought before this node joined the group comes again; it is the same.
      if (index <= state.index) continue;
      moved = true;
      if (payload.kind === 'command') this.#applyBytes(index, term, payload.command);
      else state.advance(index, term);
    }
    if (moved) this.#changed();
  }

  #applyBytes(index: LogIndex, term: Term, bytes: Uint8Array): void {
    const state = this.#state;
    if (state === undefined || index <= state.index) return;
    const command = orUndefined(() => decodeCommand(bytes));
    if (command === undefined) {
      // Written by a newer version whose feature gate should have kept it away from us.
      state.advance(index, term);
      const detail = `Entry ${index} holds a command that this version cannot read.`;
      this.#effects.push({
        kind: 'event',
        event: { name: 'command.ignored', command: 'unknown', detail },
      });
    } else {
      for (const event of state.apply(index, term, command)) {
        if (event.name === 'registry.changed') this.#registryTouched = true;
        this.#effects.push({ kind: 'event', event });
      }
    }
    this.#history.add(index, term, bytes);
  }

  /** False when the present state is further already. */
  #restore(state: ControlState): boolean {
    const present = this.#state;
    if (present !== undefined) {
      if (present.clusterId !== state.clusterId) return false;
      const older = state.groupEpoch < present.groupEpoch;
      const same = state.groupEpoch === present.groupEpoch;
      if (older || (same && state.index <= present.index)) return false;
    }
    this.#state = state;
    this.#history = new CommandHistory(state.index);
    this.#registryTouched = true;
    this.#restoredShards = state.shardsChangedSince(present);
    if (present !== undefined && state.groupEpoch > present.groupEpoch) {
      this.#effects.push({ kind: 'regrouped', groupEpoch: state.groupEpoch });
    }
    this.#changed();
    return true;
  }

  #changed(): void {
    const shards = this.#restoredShards ?? this.#state?.takeChangedShards() ?? [];
    this.#effects.push({ kind: 'changed', registry: this.#registryTouched, shards });
    this.#registryTouched = false;
    this.#restoredShards = undefined;
  }

  #take(): readonly ControlFeedEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

/** What a peer sent may be no valid value; that is not our mistake. */
function orUndefined<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

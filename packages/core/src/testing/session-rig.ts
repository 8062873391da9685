import { shardOfEntry } from '@memgrid/protocol';
import type {
  ClientMessage,
  FeedFilter,
  FoundEntry,
  Operation,
  OperationBody,
  Scope,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import type { NearEntry, NearStore } from '../session/near-entry.ts';
import { SESSION_DEFAULTS } from '../session/session-config.ts';
import type { SessionConfig } from '../session/session-config.ts';
import type {
  CallOptions,
  CallOutcome,
  SessionEffect,
  SessionEvent,
  SessionInput,
} from '../session/session-io.ts';
import { Session } from '../session/session.ts';
import { FAKE_WALL_MS, FakeGrid } from './fake-grid.ts';
import type { Said } from './fake-grid.ts';

export interface SessionRigOptions {
  readonly nodes?: number;
  readonly shardCount?: number;
  readonly seeds?: readonly string[];
  readonly config?: Partial<SessionConfig>;
  readonly seed?: number;
  readonly nearCache?: boolean;
}

interface Arrival {
  readonly at: number;
  readonly happen: () => void;
}

/** Of whoever is not this session. */
const NO_LINK: LinkId = -1;

export const NOBODY: Scope = { namespace: 'ns', userId: '', agentId: '', appId: '', runId: '' };

export const CALL_DEFAULTS: CallOptions = {
  read: 'one',
  durability: 'quorum',
  sync: 'disk',
  timeoutMs: 5_000,
  noAutonomous: false,
  operationId: '',
  maxStalenessMs: 1_000,
};

/** A session against a fake cluster, with virtual time: one way over a link takes `latencyMs`. */
export class SessionRig {
  readonly grid: FakeGrid;
  readonly session: Session;
  readonly effects: SessionEffect[] = [];
  readonly outcomes = new Map<number, CallOutcome>();
  /** How many outcomes each call had: must be one. */
  readonly outcomeCounts = new Map<number, number>();
  /** By place of the node. */
  readonly latencyMs: number[];
  /** Nodes that nobody can connect to. */
  readonly down = new Set<number>();
  /** Links over which nothing arrives any more, either way. */
  readonly mute = new Set<LinkId>();
  /** Told of each outcome as it comes. */
  onOutcome: ((call: number, outcome: CallOutcome) => void) | undefined;
  now = 0 as Instant;
  #arrivals: Arrival[] = [];
  readonly #links = new Map<LinkId, number>();
  #nextCall = 1;
  /** Effects are handled as they come; a session is never called while it is at work. */
  #inputs: SessionInput[] = [];

  constructor(options: SessionRigOptions = {}) {
    const { nodes = 3, shardCount = 8, config, seed = 1 } = options;
    this.grid = new FakeGrid({ nodes, shardCount });
    this.latencyMs = Array.from({ length: nodes }, () => 1);
    this.session = new Session({
      seeds: options.seeds ?? this.grid.nodes.map((node) => node.address),
      name: 'test',
      version: '0',
      config: { ...SESSION_DEFAULTS, ...config },
      random: Random.of(seed),
      now: this.now,
      nearStore: options.nearCache === true ? new MapStore() : undefined,
    });
  }

  get events(): readonly SessionEvent[] {
    return this.effects.flatMap((it) => (it.kind === 'event' ? it.event : []));
  }

  /** Lets time pass, and everything happen that is due in it. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#nextMoment();
      if (next === undefined || next > end) break;
      this.now = Math.max(this.now, next) as Instant;
      this.#runDue();
    }
    this.now = end as Instant;
  }

  push(input: SessionInput): void {
    this.#inputs.push(input);
    this.#drain();
  }

  /** @returns the call's id; its outcome is in `outcomes` once there is one. */
  call(
    body: OperationBody,
    options: Partial<CallOptions> = {},
    scope: Scope | undefined = NOBODY,
  ): number {
    const call = this.#nextCall;
    this.#nextCall += 1;
    const all = { ...CALL_DEFAULTS, ...options };
    this.push({ kind: 'calls', calls: [{ call, body, scope, options: all }] });
    return call;
  }

  put(key: string, value: number, options: Partial<CallOptions> = {}): number {
    return this.call(putOf(key, value), options);
  }

  /** @param onBegin hears the id first: a near-cache hit is answered before this returns. */
  get(key: string, options: Partial<CallOptions> = {}, onBegin?: (call: number) => void): number {
    onBegin?.(this.#nextCall);
    return this.call({ kind: 'get', namespace: 'ns', key }, options);
  }

  /** Somebody else writes: straight into the primary. */
  writeElsewhere(key: string, value: number): void {
    const shard = shardOfEntry({ ...NOBODY, key }, this.grid.shardCount);
    const { primary } = this.grid.shard(shard);
    const operationId = `elsewhere ${value}`;
    const { read, durability, sync, noAutonomous, timeoutMs } = CALL_DEFAULTS;
    const operation: Operation = {
      id: 1,
      shard,
      operationId,
      body: putOf(key, value),
      read,
      durability,
      sync,
      timeoutMs,
      noAutonomous,
      atLeast: 0,
    };
    const said = this.grid.receive(primary, NO_LINK, {
      type: 'operations',
      operations: [operation],
    });
    this.say(said.filter(({ link }) => link !== NO_LINK));
  }

  /** The value that a get found; undefined when it is absent. */
  valueOf(call: number): number | undefined {
    const outcome = this.outcomes.get(call);
    if (outcome?.kind === 'near') return outcome.found.entry[0];
    if (outcome?.kind !== 'answered') throw new Error(`Call ${call}: ${JSON.stringify(outcome)}`);
    const { result } = outcome.answer;
    return result.kind === 'found' ? result.found.entry[0] : undefined;
  }

  watch(watch: number, filter: FeedFilter, since?: string): void {
    this.push({ kind: 'watch', watch, request: { filter, since } });
  }

  /** The process is gone: connections break, nobody answers dials. */
  kill(place: number): void {
    this.down.add(place);
    for (const link of this.linksTo(place)) this.cut(link);
  }

  revive(place: number): void {
    this.down.delete(place);
  }

  cut(link: LinkId): void {
    const place = this.#links.get(link);
    if (place === undefined) return;
    this.#links.delete(link);
    this.grid.forget(place, link);
    this.push({ kind: 'linkClosed', link });
  }

  linksTo(place: number): readonly LinkId[] {
    return [...this.#links].filter(([, to]) => to === place).map(([link]) => link);
  }

  /** A node speaks by itself. */
  say(said: readonly Said[]): void {
    for (const { node, link, message } of said) this.#fromNode(node, link, message);
  }

  tellPlacement(place: number): void {
    const message = this.grid.placement(false);
    this.say(this.linksTo(place).map((link) => ({ node: place, link, message })));
  }

  #nextMoment(): number | undefined {
    const wakeAt = this.session.wakeAt;
    const arrival = this.#arrivals[0]?.at;
    if (wakeAt === undefined) return arrival;
    return arrival === undefined ? wakeAt : Math.min(arrival, wakeAt);
  }

  #runDue(): void {
    const arrival = this.#arrivals[0];
    if (arrival !== undefined && arrival.at <= this.now) {
      this.#arrivals.shift();
      arrival.happen();
      return;
    }
    this.#perform(this.session.wake(this.now));
    this.#drain();
  }

  #drain(): void {
    for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift()) {
      this.#perform(this.session.step(this.now, input));
    }
  }

  #perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.kind === 'dial') this.#dial(effect.link, effect.address);
      else if (effect.kind === 'send') this.#toNode(effect.link, effect.message);
      else if (effect.kind === 'hangUp') this.#hangUp(effect.link);
      else if (effect.kind === 'outcome') {
        this.outcomes.set(effect.call, effect.outcome);
        this.outcomeCounts.set(effect.call, (this.outcomeCounts.get(effect.call) ?? 0) + 1);
        this.onOutcome?.(effect.call, effect.outcome);
      }
    }
  }

  #dial(link: LinkId, address: string): void {
    const place = this.grid.nodes.findIndex((node) => node.address === address);
    this.#later(this.latencyMs[place] ?? 1, () => {
      if (place < 0 || this.down.has(place)) {
        this.push({ kind: 'linkFailed', link, problem: 'ECONNREFUSED' });
        return;
      }
      this.#links.set(link, place);
      this.push({ kind: 'linkOpened', link });
    });
  }

  #hangUp(link: LinkId): void {
    const place = this.#links.get(link);
    if (place === undefined) return;
    this.#links.delete(link);
    this.grid.forget(place, link);
  }

  #toNode(link: LinkId, message: ClientMessage): void {
    const place = this.#links.get(link);
    if (place === undefined) return;
    this.#later(this.latencyMs[place] ?? 1, () => {
      if (this.#links.get(link) !== place || this.mute.has(link)) return;
      this.say(this.grid.receive(place, link, message));
    });
  }

  #fromNode(place: number, link: LinkId, message: ClientMessage): void {
    this.#later(this.latencyMs[place] ?? 1, () => {
      if (this.#links.get(link) !== place || this.mute.has(link)) return;
      this.push({ kind: 'received', link, message });
    });
  }

  #later(ms: number, happen: () => void): void {
    const at = this.now + ms;
    const place = this.#arrivals.findIndex((arrival) => arrival.at > at);
    const arrival = { at, happen };
    if (place < 0) this.#arrivals.push(arrival);
    else this.#arrivals.splice(place, 0, arrival);
  }
}

export function putOf(key: string, value: number): OperationBody {
  return {
    kind: 'put',
    namespace: 'ns',
    key,
    entry: new Uint8Array([value]),
    condition: { kind: 'always' },
  };
}

/** A store without bounds. The second byte of an entry says in how many seconds it expires. */
export class MapStore implements NearStore {
  readonly #entries = new Map<string, NearEntry>();

  get(namespace: string, key: string): NearEntry | undefined {
    return this.#entries.get(`${namespace}\0${key}`);
  }

  set(namespace: string, key: string, entry: NearEntry): void {
    this.#entries.set(`${namespace}\0${key}`, entry);
  }

  expiresAtOf({ entry }: FoundEntry): number {
    const seconds = entry[1] ?? 0;
    return seconds === 0 ? 0 : FAKE_WALL_MS + 1_000 * seconds;
  }

  forget(key: string, index: number): void {
    for (const [stored, entry] of this.#entries) {
      if (entry.found.key === key && entry.index < index) this.#entries.delete(stored);
    }
  }
}

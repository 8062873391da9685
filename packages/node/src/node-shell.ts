import { createHash } from 'node:crypto';
import { Driver, NodeMachine, SchemaEntryRules, SchemaRegistry } from '@memgrid/core';
import type {
  EntryTable,
  HaltCode,
  NodeEffect,
  NodeInput,
  NodeReply,
  NodeRequest,
  NodeSettings,
  NodeStatus,
} from '@memgrid/core';
import { PROTOCOL } from '@memgrid/protocol';
import { formatAddress, isWildcard, parseAddress } from './address.ts';
import type { Address } from './address.ts';
import type { NodeConfig } from './config/node-config.ts';
import { corruptError } from './disk/disk-error.ts';
import type { NodeStore } from './disk/node-store.ts';
import type { AdminSource } from './http/admin-source.ts';
import { HttpListener } from './http/http-listener.ts';
import { Listener } from './net/listener.ts';
import { NodeDisk } from './node-disk.ts';
import type { ObservedEvent } from './observe/event-levels.ts';
import type { MetricsSource } from './observe/metrics.ts';
import type { Observer } from './observe/observer.ts';
import { FrameTraffic } from './observe/frame-traffic.ts';
import type { Company, NodeExit, RunningNode } from './running-node.ts';
import { EventLoopScheduler } from './runtime/event-loop-scheduler.ts';
import { ClientLinks } from './runtime/client-links.ts';
import { Links } from './runtime/links.ts';
import { OperationMeter } from './runtime/operation-meter.ts';
import { perform } from './runtime/perform.ts';
import { PROFILES } from './runtime/profiles.ts';
import { Requests } from './runtime/requests.ts';
import { StallSensor } from './runtime/stall-sensor.ts';
import { usePlatformText } from './runtime/platform-text.ts';
import { systemClock } from './runtime/system-clock.ts';
import { systemRandom } from './runtime/system-random.ts';
import { compileSchema } from './schema/compile-schema.ts';
import type { TlsMaterial } from './tls-files.ts';
import { VERSION } from './version.ts';

/** One turn may work this long before sockets and timers get their turn. */
const SLICE_MS_MAX = 5;

/**
 * Inputs that may wait. The links stop reading at a sixteenth of it, so what fills the rest is
 * answers of the disk and the like, which must never be refused.
 */
const INBOX_MAX = 65_536;

const REQUEST_TIMEOUT_MS = 5_000;
const DRAIN_TIMEOUT_MS = 10_000;

/** No single part may hold up the end of a process for longer. */
const CLOSE_TIMEOUT_MS = 3_000;

/** What must exist before a node does. */
export interface NodeParts {
  readonly config: NodeConfig;
  readonly store: NodeStore;
  /** Holds the entries that the store found. */
  readonly entries: EntryTable;
  readonly observer: Observer;
  readonly tls: TlsMaterial | undefined;
}

/** One node machine with its disk, sockets and HTTP: start and stop, in the order they must happen. */
export class NodeShell implements RunningNode {
  readonly done: Promise<NodeExit>;
  readonly #config: NodeConfig;
  readonly #store: NodeStore;
  readonly #entries: EntryTable;
  readonly #observer: Observer;
  readonly #tls: TlsMaterial | undefined;
  readonly #traffic = new FrameTraffic();
  readonly #requests: Requests;
  readonly #links: Links;
  readonly #clients: ClientLinks;
  readonly #disk: NodeDisk;
  readonly #sensor: StallSensor;
  readonly #settleDone: (exit: NodeExit) => void;
  #listener: Listener | undefined;
  #http: HttpListener | undefined;
  #machine: NodeMachine | undefined;
  readonly #builtInSchemas = new SchemaRegistry();
  /** Entries follow the registry as it is when they are written. */
  readonly #rules = new SchemaEntryRules({
    registry: () => this.#machine?.schemas ?? this.#builtInSchemas,
    compile: compileSchema,
  });
  #driver: Driver<NodeInput, NodeEffect> | undefined;
  #stopping: Promise<void> | undefined;
  readonly #begun = Promise.withResolvers<void>();
  #hasBegun = false;
  #loopLagMs = 0;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(parts: NodeParts) {
    const { config, store, observer } = parts;
    this.#config = config;
    this.#store = store;
    this.#entries = parts.entries;
    this.#observer = observer;
    const { promise, resolve } = Promise.withResolvers<NodeExit>();
    this.done = promise;
    this.#settleDone = resolve;
    this.#tls = parts.tls;
    this.#requests = new Requests(this.#push);
    this.#links = this.#makeLinks();
    this.#clients = this.#makeClientLinks();
    this.#disk = this.#makeDisk();
    this.#sensor = new StallSensor({
      onStall: (stalledMs) => {
        this.#observer.show({ name: 'loop.stalled', stalledMs });
        this.#push({ kind: 'stalled', stalledMs });
      },
      onLoad: (load) => {
        this.#observer.metrics.load(load);
        this.#loopLagMs = load.loopLagP99Ms;
        this.#push({ kind: 'load', ...load });
      },
    });
  }

  get address(): string {
    if (this.#config.advertise !== '') return this.#config.advertise;
    return this.#listener === undefined ? '' : formatAddress(this.#listener.address);
  }

  get httpAddress(): string {
    if (this.#http === undefined) return '';
    const { host, port } = this.#http.address;
    if (!isWildcard(host)) return formatAddress({ host, port });
    // Nobody can dial a wildcard; the host that peers dial is the same machine.
    return formatAddress({ host: parseAddress(this.address)?.host ?? host, port });
  }

  /**
   * Binds HTTP first and the peers' address last: whoever connects to the latter should find the
   * machine running. Until `run`, connections are reset.
   */
  async listen(): Promise<void> {
    const { token } = this.#config;
    const tls = this.#tls;
    const http = parseAddress(this.#config.http);
    if (http !== undefined) {
      this.#http = await HttpListener.listen({ address: http, tls, source: this.#adminSource() });
    }
    this.#listener = await Listener.listen({
      address: parseAddress(this.#config.listen) as Address,
      token,
      tls,
      onConnection: (connection, remote) => {
        // Whoever knocks before the machine runs would wait for an answer that never comes.
        const { endpoint } = connection;
        if (this.#driver === undefined) connection.reset();
        else if (endpoint === 'client') this.#clients.accept(connection, remote);
        else this.#links.accept(connection, endpoint, remote);
      },
      onRefused: (reason, remote) =>
        this.#observer.show({ name: 'connection.refused', reason, remote }),
    });
  }

  /**
   * Wakes the machine. Its first packet leaves when its generation is on disk; resolves then (or
   * when the node has ended before): an identity that a crash could still change is not told.
   */
  async run(company: Company): Promise<void> {
    const machine = this.#makeMachine(company);
    const { nodeId, generation } = machine.status(systemClock.now());
    this.#observer.identify(nodeId, generation);
    this.#machine = machine;
    usePlatformText();
    this.#driver = this.#makeDriver(machine);
    this.#observer.metrics.observe(this.#metricsSource(machine, this.#driver));
    this.#sensor.start();
    this.#disk.start();
    this.#driver.start();
    await this.#begun.promise;
  }

  /** Undoes a start that failed half way. */
  async abandon(): Promise<void> {
    await this.#closeAll();
  }

  status(): NodeStatus {
    const status = this.#statusNow();
    if (status === undefined) throw new Error('The node is not running yet.');
    return status;
  }

  async request(body: NodeRequest, timeoutMs: number = REQUEST_TIMEOUT_MS): Promise<NodeReply> {
    return await this.#requests.ask(body, timeoutMs);
  }

  events(signal?: AbortSignal): AsyncIterableIterator<ObservedEvent> {
    return this.#observer.feed.read(signal);
  }

  async drain(timeoutMs: number = DRAIN_TIMEOUT_MS): Promise<NodeExit> {
    if (this.#stopping === undefined && this.#drainTimer === undefined) {
      this.#observer.show({ name: 'node.stopping', reason: 'drain' });
      this.#drainTimer = setTimeout(() => {
        this.#stop({ code: 'closed', detail: `The drain took longer than ${timeoutMs} ms.` });
      }, timeoutMs);
      this.#push({ kind: 'shutdown' });
    }
    return await this.done;
  }

  async close(): Promise<NodeExit> {
    this.#stop({ code: 'closed', detail: 'Closed without a drain.' });
    return await this.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #push = (input: NodeInput): boolean => this.#driver?.push(input) ?? false;

  #statusNow(): NodeStatus | undefined {
    return this.#machine?.status(systemClock.now());
  }

  #makeMachine(company: Company): NodeMachine {
    const { records } = this.#store;
    try {
      const machine = new NodeMachine({
        settings: this.#settings(company),
        ...PROFILES[this.#config.profile],
        shards: {},
        entries: this.#entries,
        rules: this.#rules,
        records,
        random: systemRandom(),
        digest: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
        now: systemClock.now(),
        wallMs: systemClock.wallMs(),
      });
      this.#store.forgetRecords();
      return machine;
    } catch (error) {
      if (records.size === 0) throw error;
      // The records are whole, or the store would not have opened, and yet make no sense.
      throw corruptError(this.#store.directory, (error as Error).message, error);
    }
  }

  #settings({ seeds, expect }: Company): NodeSettings {
    const { zone, weight, votersMax, shards, replicas } = this.#config;
    return {
      address: this.address,
      httpAddress: this.httpAddress,
      seeds,
      expect,
      zone,
      weight,
      votersMax: votersMax === 0 ? undefined : votersMax,
      shardCount: shards,
      replicationFactor: replicas,
      features: [],
      protocolMin: PROTOCOL.min,
      protocolMax: PROTOCOL.max,
    };
  }

  #makeDriver(machine: NodeMachine): Driver<NodeInput, NodeEffect> {
    const performers = {
      links: this.#links,
      clients: this.#clients,
      disk: this.#disk,
      requests: this.#requests,
      publish: (event: ObservedEvent) => this.#observer.show(event),
      halt: (code: HaltCode, detail: string) => this.#halt(code, detail),
    };
    return new Driver<NodeInput, NodeEffect>({
      machine,
      clock: systemClock,
      scheduler: new EventLoopScheduler(() => this.#sensor.check()),
      perform: (effect) => perform(effect, performers),
      flush: () => {
        this.#disk.flush();
        this.#links.flush();
        this.#clients.flush();
        this.#noteBeginning(machine);
      },
      wallClockInput: (wallMs) => ({ kind: 'wallClock', wallMs }),
      onFault: (error) => this.#fault(error),
      sliceMsMax: SLICE_MS_MAX,
      inboxMax: INBOX_MAX,
    });
  }

  #noteBeginning(machine: NodeMachine): void {
    if (this.#hasBegun) return;
    this.#hasBegun = machine.status(systemClock.now()).phase !== 'starting';
    if (this.#hasBegun) this.#begun.resolve();
  }

  #makeLinks(): Links {
    return new Links({
      push: this.#push,
      waitingCount: () => this.#driver?.waitingCount ?? 0,
      token: this.#config.token,
      tls: this.#tls,
      onAdmitted: (connection) => this.#listener?.admit(connection),
      onDialFailed: (address, problem, detail) =>
        this.#observer.show({ name: 'dial.failed', address, problem, detail }),
      onUnencodable: (type, problem) =>
        this.#observer.show({ name: 'send.unencodable', type, problem }),
      traffic: this.#traffic,
    });
  }

  #makeClientLinks(): ClientLinks {
    const meter = new OperationMeter(
      () => systemClock.now(),
      (measured) => this.#observer.metrics.operations(measured),
    );
    return new ClientLinks({
      push: this.#push,
      waitingCount: () => this.#driver?.waitingCount ?? 0,
      onAdmitted: (connection) => this.#listener?.admit(connection),
      onUnencodable: (type, problem) =>
        this.#observer.show({ name: 'send.unencodable', type, problem }),
      onMessage: (link, direction, message) => meter[direction](link, message),
      onGone: (link) => meter.gone(link),
      traffic: this.#traffic,
    });
  }

  #makeDisk(): NodeDisk {
    return new NodeDisk({
      store: this.#store,
      observer: this.#observer,
      push: this.#push,
      isStopping: () => this.#stopping !== undefined,
      onFault: (error) => this.#fault(error),
      loopLagMs: () => this.#loopLagMs,
      storageBytesMax: this.#config.storageBytesMax,
    });
  }

  #adminSource(): AdminSource {
    return {
      version: VERSION,
      token: this.#config.token,
      status: () => this.#statusNow(),
      request: async (body, timeoutMs) => await this.#requests.ask(body, timeoutMs),
      metrics: async () => {
        const { metrics } = this.#observer;
        return { contentType: metrics.contentType, text: await metrics.text() };
      },
      onDefect: (route, problem) => this.#observer.show({ name: 'http.failed', route, problem }),
    };
  }

  #metricsSource(machine: NodeMachine, driver: Driver<NodeInput, NodeEffect>): MetricsSource {
    const startedAt = systemClock.now();
    return {
      traffic: this.#traffic,
      status: () => machine.status(systemClock.now()),
      linkCount: (channel) =>
        channel === 'client' ? this.#clients.count : this.#links.count(channel),
      inboxCount: () => driver.waitingCount,
      inboxRefusedCount: () => driver.refusedCount,
      linkBufferedBytes: () => this.#links.bufferedBytes + this.#clients.bufferedBytes,
      diskWaitingBytes: () => this.#disk.commit.waitingBytes,
      entryMemoryBytes: () => this.#entries.memoryBytes,
      entryPagedCount: () => this.#entries.pagedCount,
      diskUsedBytes: () => this.#store.bytesUsed,
      uptimeMs: () => systemClock.now() - startedAt,
    };
  }

  #halt(code: HaltCode, detail: string): void {
    this.#driver?.stop();
    // After the turn: what it still had to say leaves with its flush.
    queueMicrotask(() => this.#stop({ code, detail }));
  }

  #fault(error: unknown): void {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#observer.show({ name: 'node.faulted', problem });
    this.#stop({ code: 'fault', detail: 'The program met a state that cannot be.', error });
  }

  #stop(exit: NodeExit): void {
    this.#stopping ??= this.#closeAll().then(async () => {
      this.#observer.show({ name: 'node.stopped', code: exit.code, detail: exit.detail });
      await within(this.#observer.close());
      this.#settleDone(exit);
    });
  }

  /** From the outside in: nobody new, nobody waiting, then the disk, and the lock last. */
  async #closeAll(): Promise<void> {
    this.#begun.resolve();
    clearTimeout(this.#drainTimer);
    this.#sensor.stop();
    this.#driver?.stop();
    this.#requests.close();
    this.#links.close();
    this.#clients.close();
    await Promise.all([
      within(this.#listener?.close()),
      within(this.#http?.close()),
      within(this.#disk.close()),
    ]);
    await within(this.#store.close()).catch((error: unknown) => {
      this.#observer.show({ name: 'disk.failed', problem: (error as Error).message });
    });
  }
}

/** Waits for a part to close, but not for ever: a disk that hangs must not keep the process. */
async function within(closing: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  await Promise.race([closing, late]);
  clearTimeout(timer);
}

import type {
  ClientHello,
  ClientMessage,
  ClientRefused,
  ClusterId,
  ShardConfig,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import { after, type Instant } from '../machine.ts';
import type { ClientSession } from './client-session.ts';
import type { Feeds } from './feeds.ts';
import type { GatewayOptions } from './gateway-io.ts';
import type { GatewayOutbox } from './gateway-outbox.ts';
import type { OperationsUnderWay } from './operations-under-way.ts';
import type { PlacementTable } from './placement-table.ts';

export interface FrontDoorParts {
  readonly outbox: GatewayOutbox;
  readonly underWay: OperationsUnderWay;
  readonly placement: PlacementTable;
  readonly feeds: Feeds;
}

/** Who is let in, for how long, and how they go: everything of clients but what they ask for. */
export class FrontDoor {
  readonly #options: GatewayOptions;
  readonly #parts: FrontDoorParts;
  readonly #clients = new Map<LinkId, ClientSession>();
  readonly #greeting = new Set<ClientSession>();
  readonly #leaving = new Set<ClientSession>();
  /** Of all clients. */
  #unreadBytes = 0;
  #clusterId: ClusterId | undefined;
  #closing: 'shuttingDown' | 'draining' | undefined;

  constructor(options: GatewayOptions, parts: FrontDoorParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Clients that were let in. */
  get count(): number {
    return this.#clients.size - this.#greeting.size;
  }

  /** Whether this node is about to stop, and takes no new work. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  get wakeAt(): Instant | undefined {
    // Everybody gets the same time to say hello, so the first who came is the first who is late.
    const [oldest] = this.#greeting;
    return oldest?.helloDeadline;
  }

  get(link: LinkId): ClientSession | undefined {
    return this.#clients.get(link);
  }

  /** Links of everybody who is connected, let in or not. */
  get links(): readonly LinkId[] {
    return [...this.#clients.keys()];
  }

  founded(clusterId: ClusterId): void {
    this.#clusterId = clusterId;
  }

  wake(now: Instant): void {
    for (const { link, helloDeadline } of [...this.#greeting]) {
      if (helloDeadline > now) break;
      this.refuse(link, 'badMessage', 'The client did not introduce itself in time.');
    }
  }

  accepted(now: Instant, link: LinkId, remote: string): void {
    const { helloMsMax, clientsMax } = this.#options.limits;
    const helloDeadline = after(now, helloMsMax);
    const client: ClientSession = {
      link,
      remote,
      helloDeadline,
      stage: 'greeting',
      paused: false,
      unreadBytes: 0,
    };
    this.#clients.set(link, client);
    this.#greeting.add(client);
    if (this.#clients.size <= clientsMax) return;
    this.refuse(link, 'overloaded', `${clientsMax} clients are connected already.`);
  }

  closed(link: LinkId): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { outbox, underWay, feeds } = this.#parts;
    this.#clients.delete(link);
    this.#unreadBytes -= client.unreadBytes;
    this.#greeting.delete(client);
    this.#leaving.delete(client);
    underWay.forget(link);
    feeds.forget(link);
    outbox.forgetClient(link);
    if (client.stage === 'greeting') return;
    outbox.emit({ kind: 'event', event: { name: 'client.disconnected', link } });
  }

  /** The first that a client says. */
  greeted(client: ClientSession, message: ClientMessage): void {
    if (message.type === 'clientHello') this.#greet(client, message);
    else this.refuse(client.link, 'badMessage', `"${message.type}" before "clientHello".`);
  }

  /** Says why, then hangs up. What it asked is forgotten: it will hear no answer. */
  refuse(link: LinkId, reason: ClientRefused['reason'], detail: string): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { protocolMin, protocolMax } = this.#options;
    const { outbox } = this.#parts;
    outbox.flushAnswersTo(link);
    outbox.send(link, { type: 'clientRefused', reason, protocolMin, protocolMax, detail });
    outbox.emit({
      kind: 'event',
      event: { name: 'client.refused', link, remote: client.remote, detail },
    });
    this.closed(link);
    outbox.emit({ kind: 'clientHangUp', link });
  }

  pressure(link: LinkId, bufferedBytes: number): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { pauseBytes, resumeBytes, hangUpBytes } = this.#options.limits;
    if (bufferedBytes >= hangUpBytes) {
      const detail = `The client left ${bufferedBytes} bytes of answers unread.`;
      this.refuse(link, 'overloaded', detail);
      return;
    }
    this.#unreadBytes += bufferedBytes - client.unreadBytes;
    client.unreadBytes = bufferedBytes;
    if (this.#unreadBytes > this.#options.limits.unreadBytes) this.#refuseSlowest();
    if (!this.#clients.has(link)) return;
    this.#parts.feeds.hold(link, bufferedBytes >= resumeBytes);
    const paused = client.paused ? bufferedBytes >= resumeBytes : bufferedBytes >= pauseBytes;
    if (paused === client.paused) return;
    client.paused = paused;
    this.#parts.outbox.emit({ kind: 'clientPause', link, paused });
  }

  /** All together leave too much unread: whoever leaves most has to go. */
  #refuseSlowest(): void {
    let slowest: ClientSession | undefined;
    for (const client of this.#clients.values()) {
      if (client.unreadBytes > (slowest?.unreadBytes ?? 0)) slowest = client;
    }
    if (slowest === undefined) return;
    const detail =
      `All clients left ${this.#unreadBytes} bytes of answers unread, this one ` +
      `${slowest.unreadBytes}, more than any other.`;
    this.refuse(slowest.link, 'overloaded', detail);
  }

  /** Where everything is has changed: whoever was let in is told. */
  tellPlacement(changed: readonly ShardConfig[]): void {
    const open = [...this.#clients.values()].filter(({ stage }) => stage === 'open');
    if (open.length === 0) return;
    const message = this.#parts.placement.changed(changed);
    for (const { link } of open) this.#parts.outbox.send(link, message);
  }

  /** Says goodbye to everybody, and lets nobody in any more. */
  close(reason: 'shuttingDown' | 'draining'): void {
    if (this.#closing !== undefined) return;
    this.#closing = reason;
    for (const client of [...this.#clients.values()]) {
      if (client.stage === 'greeting') {
        this.refuse(client.link, 'shuttingDown', 'This node is about to stop.');
        continue;
      }
      this.#parts.outbox.send(client.link, { type: 'clientBye', reason });
      this.beginLeaving(client);
    }
  }

  beginLeaving(client: ClientSession): void {
    client.stage = 'leaving';
    this.#leaving.add(client);
    this.#parts.feeds.forget(client.link);
  }

  /** Clients that said goodbye, or were told so, go when their last answer has been given. */
  letGo(): void {
    for (const { link } of this.#leaving) {
      if (this.#parts.underWay.countOf(link) > 0) continue;
      this.closed(link);
      this.#parts.outbox.emit({ kind: 'clientHangUp', link });
    }
  }

  #greet(client: ClientSession, hello: ClientHello): void {
    const { protocolMin, protocolMax, self, generation, wallMs, limits } = this.#options;
    const { outbox, placement } = this.#parts;
    const { link, remote } = client;
    if (hello.protocolMin > protocolMax || hello.protocolMax < protocolMin) {
      const detail =
        `The client speaks protocol ${hello.protocolMin} to ${hello.protocolMax}, this node ` +
        `${protocolMin} to ${protocolMax}: upgrade the older of the two.`;
      this.refuse(link, 'protocol', detail);
      return;
    }
    if (this.#clusterId === undefined || placement.shardCount === 0) {
      const detail = 'This node belongs to no cluster whose shards have owners yet.';
      this.refuse(link, 'notFounded', detail);
      return;
    }
    if (this.isClosing) {
      this.refuse(link, 'shuttingDown', 'This node takes no new clients: it is about to stop.');
      return;
    }
    client.stage = 'open';
    this.#greeting.delete(client);
    outbox.send(link, {
      type: 'clientWelcome',
      protocol: Math.min(hello.protocolMax, protocolMax),
      clusterId: this.#clusterId,
      nodeId: self,
      generation,
      wallMs: wallMs(),
      shardCount: placement.shardCount,
      windowBytes: limits.windowBytes,
    });
    outbox.send(link, placement.whole());
    const named = `${hello.name} ${hello.version}`;
    outbox.emit({
      kind: 'event',
      event: { name: 'client.connected', link, remote, client: named },
    });
  }
}

import { SimLane } from './sim-lane.ts';
import type { LaneSurroundings, Parcel } from './sim-lane.ts';

/** What the process at one end is told. Called when it happens; the process decides when it reads. */
export interface SocketListener<Frame> {
  /** The acceptor answered: the dialling side may send. */
  readonly opened: () => void;
  readonly frame: (frame: Frame, bytes: number) => void;
  readonly closed: () => void;
  readonly buffered: (bytes: number) => void;
}

/** How a connection hangs in the network. */
export interface ConnectionSurroundings<Frame> {
  readonly lane: (
    from: string,
    to: string,
  ) => Omit<LaneSurroundings<Frame>, 'arrive' | 'reset' | 'bufferedChanged'>;
  readonly hostIsUp: (host: string) => boolean;
  /** Runs `run` when a packet sent now gets to the other host; never, when it cannot. */
  readonly packet: (from: string, to: string, run: () => void) => void;
  readonly forget: (connection: SimConnection<Frame>) => void;
}

/** One end of a connection, as a process holds it. */
export class SimSocket<Frame> {
  readonly host: string;
  readonly peerHost: string;
  readonly #connection: SimConnection<Frame>;
  #listener: SocketListener<Frame> | undefined;

  constructor(host: string, peerHost: string, connection: SimConnection<Frame>) {
    this.host = host;
    this.peerHost = peerHost;
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#listener !== undefined;
  }

  get listener(): SocketListener<Frame> | undefined {
    return this.#listener;
  }

  listen(listener: SocketListener<Frame>): void {
    this.#listener = listener;
  }

  /** The acceptor's process answers the connection request. */
  accept(): void {
    this.#connection.laneFrom(this).send({ kind: 'open' });
  }

  send(frame: Frame, bytes: number): void {
    if (this.isOpen) this.#connection.laneFrom(this).send({ kind: 'frame', frame, bytes });
  }

  /** The process has taken a frame out of the socket buffer. */
  read(bytes: number): void {
    this.#connection.laneTo(this).read(bytes);
  }

  /** Closes in good order: what was sent before still arrives. */
  close(): void {
    if (!this.isOpen) return;
    this.#listener = undefined;
    this.#connection.laneFrom(this).send({ kind: 'end' });
  }

  /** Closes at once: what was on its way is lost, and the other side is told by a reset. */
  abort(): void {
    if (!this.isOpen) return;
    this.#listener = undefined;
    this.#connection.resetBy(this);
  }

  /** The host lost its power: nobody is told anything. */
  vanish(): void {
    this.#listener = undefined;
    this.#connection.laneFrom(this).close();
  }

  /** The other side closed, or a reset arrived. */
  lost(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.closed();
  }
}

/** A TCP connection between two processes, with a web socket on it. */
export class SimConnection<Frame> {
  readonly dialler: SimSocket<Frame>;
  readonly acceptor: SimSocket<Frame>;
  readonly #world: ConnectionSurroundings<Frame>;
  readonly #there: SimLane<Frame>;
  readonly #back: SimLane<Frame>;
  /** It was reset: no end will ever read from it again, though one may not know yet. */
  #over = false;

  constructor(from: string, to: string, world: ConnectionSurroundings<Frame>) {
    this.#world = world;
    this.dialler = new SimSocket(from, to, this);
    this.acceptor = new SimSocket(to, from, this);
    this.#there = this.#lane(this.dialler, this.acceptor);
    this.#back = this.#lane(this.acceptor, this.dialler);
  }

  laneFrom(socket: SimSocket<Frame>): SimLane<Frame> {
    return socket === this.dialler ? this.#there : this.#back;
  }

  laneTo(socket: SimSocket<Frame>): SimLane<Frame> {
    return socket === this.dialler ? this.#back : this.#there;
  }

  joins(a: string, b: string): boolean {
    const { dialler, acceptor } = this;
    return (
      (dialler.host === a && acceptor.host === b) || (dialler.host === b && acceptor.host === a)
    );
  }

  /** A middle box or an operating system gives the connection up: both ends notice. */
  reset(): void {
    this.resetBy(this.dialler);
    this.resetBy(this.acceptor);
  }

  /**
   * The connection is over as far as `socket`'s side is concerned. The other side learns it when
   * this packet gets through, or else from the answer to whatever it sends next.
   */
  resetBy(socket: SimSocket<Frame>): void {
    const other = this.#other(socket);
    this.#over = true;
    this.#world.packet(socket.host, other.host, () => this.#resetArrives(other));
  }

  #resetArrives(at: SimSocket<Frame>): void {
    this.laneFrom(at).close();
    if (this.#other(at).listener === undefined) this.#world.forget(this);
    at.lost();
  }

  /** Tries again on both lanes: the path has changed. */
  pump(): void {
    for (const lane of [this.#there, this.#back]) {
      lane.pump();
      lane.reportBuffered();
    }
  }

  #other(socket: SimSocket<Frame>): SimSocket<Frame> {
    return socket === this.dialler ? this.acceptor : this.dialler;
  }

  #lane(from: SimSocket<Frame>, to: SimSocket<Frame>): SimLane<Frame> {
    return new SimLane({
      ...this.#world.lane(from.host, to.host),
      arrive: (parcel) => this.#arrive(to, parcel),
      reset: () => this.reset(),
      bufferedChanged: (bytes) => from.listener?.buffered(bytes),
    });
  }

  #arrive(at: SimSocket<Frame>, parcel: Parcel<Frame>): boolean {
    if (!this.#world.hostIsUp(at.host)) return false;
    const listener = at.listener;
    if (listener === undefined || this.#over) {
      // The kernel knows no such connection (any more): it answers with a reset.
      if (parcel.kind !== 'end') this.resetBy(at);
      else this.#world.forget(this);
      return true;
    }
    switch (parcel.kind) {
      case 'open':
        listener.opened();
        break;
      case 'frame':
        listener.frame(parcel.frame, parcel.bytes);
        break;
      case 'end':
        this.#world.forget(this);
        at.lost();
        break;
    }
    return true;
  }
}

import type { Channel } from '@memgrid/protocol';

/** Both channels between peers, and clients. */
export type TrafficKind = Channel | 'client';

interface Counts {
  frames: number;
  bytes: number;
}

/** Frames and bytes per channel and direction. Counted on the hot path, read by a scrape. */
export class FrameTraffic {
  readonly #sent: Record<TrafficKind, Counts> = zero();
  readonly #received: Record<TrafficKind, Counts> = zero();

  sent(channel: TrafficKind, bytes: number): void {
    count(this.#sent[channel], bytes);
  }

  received(channel: TrafficKind, bytes: number): void {
    count(this.#received[channel], bytes);
  }

  read(direction: 'sent' | 'received', channel: TrafficKind): Readonly<Counts> {
    return direction === 'sent' ? this.#sent[channel] : this.#received[channel];
  }
}

function zero(): Record<TrafficKind, Counts> {
  const none = (): Counts => ({ frames: 0, bytes: 0 });
  return { control: none(), bulk: none(), client: none() };
}

function count(counts: Counts, bytes: number): void {
  counts.frames += 1;
  counts.bytes += bytes;
}

import type { Channel } from '@memgrid/protocol';

interface Counts {
  frames: number;
  bytes: number;
}

/** Frames and bytes per channel and direction. Counted on the hot path, read by a scrape. */
export class FrameTraffic {
  readonly #sent: Record<Channel, Counts> = zero();
  readonly #received: Record<Channel, Counts> = zero();

  sent(channel: Channel, bytes: number): void {
    count(this.#sent[channel], bytes);
  }

  received(channel: Channel, bytes: number): void {
    count(this.#received[channel], bytes);
  }

  read(direction: 'sent' | 'received', channel: Channel): Readonly<Counts> {
    return direction === 'sent' ? this.#sent[channel] : this.#received[channel];
  }
}

function zero(): Record<Channel, Counts> {
  return { control: { frames: 0, bytes: 0 }, bulk: { frames: 0, bytes: 0 } };
}

function count(counts: Counts, bytes: number): void {
  counts.frames += 1;
  counts.bytes += bytes;
}

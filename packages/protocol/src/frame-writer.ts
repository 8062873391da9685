import { FRAME_HEADER, FRAME_HEADER_BYTES, RECORD_HEADER_BYTES } from './frame.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire/wire-error.ts';

/** More than so much of a frame's memory does not stay unused while the frame waits to be sent. */
const UNUSED_SHARE_MAX = 0.25;

/** Gathers the messages of one turn for one connection. */
export class FrameWriter {
  readonly #bytesMax: number;
  #frames: Uint8Array[] = [];
  /** The frame that is being gathered; undefined when it would be empty. */
  #frame: Uint8Array | undefined;
  #bytes = FRAME_HEADER_BYTES;
  #messageCount = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Of the frame that is being gathered. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Copies `message`, whose memory may be used again at once.
   *
   * @throws WireError when one message alone is larger than a frame: whoever made it should have
   * sent it in parts. Messages added before and after are not affected.
   */
  add(message: Uint8Array): void {
    const { length } = message;
    const bytes = RECORD_HEADER_BYTES + length;
    if (FRAME_HEADER_BYTES + bytes > this.#bytesMax) {
      const max = this.#bytesMax - FRAME_HEADER_BYTES - RECORD_HEADER_BYTES;
      throw new WireError(`expected a message of at most ${max} bytes, got ${length}.`);
    }
    const full = this.#messageCount === LIMITS.frameMessagesMax;
    if (full || this.#bytes + bytes > this.#bytesMax) this.#close();
    const frame = this.#roomFor(bytes);
    writeUint32(frame, this.#bytes, length);
    frame.set(message, this.#bytes + RECORD_HEADER_BYTES);
    this.#bytes += bytes;
    this.#messageCount += 1;
  }

  /** The frames to send, in order; the writer is empty afterwards. */
  take(): readonly Uint8Array[] {
    if (this.#messageCount > 0) this.#close();
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** Just enough for the first message, which is most often the only one, and doubled for more. */
  #roomFor(bytes: number): Uint8Array {
    const before = this.#frame;
    const needed = this.#bytes + bytes;
    if (before !== undefined && needed <= before.length) return before;
    const room = before === undefined ? needed : Math.max(needed, 2 * before.length);
    const frame = new Uint8Array(Math.min(room, this.#bytesMax));
    if (before === undefined) frame.set(FRAME_HEADER);
    else frame.set(before);
    this.#frame = frame;
    return frame;
  }

  #close(): void {
    const frame = this.#frame;
    if (frame === undefined) return;
    const used = this.#bytes;
    const isLoose = frame.length - used > UNUSED_SHARE_MAX * frame.length;
    this.#frames.push(isLoose ? frame.slice(0, used) : frame.subarray(0, used));
    this.#frame = undefined;
    this.#bytes = FRAME_HEADER_BYTES;
    this.#messageCount = 0;
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

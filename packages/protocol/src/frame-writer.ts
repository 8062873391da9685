import { FRAME_HEADER, FRAME_HEADER_BYTES, RECORD_HEADER_BYTES } from './frame.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire/wire-error.ts';

/** Gathers the messages of one turn for one connection. */
export class FrameWriter {
  readonly #bytesMax: number;
  #frames: Uint8Array[] = [];
  #messages: Uint8Array[] = [];
  #bytes = FRAME_HEADER_BYTES;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Of the frame that is being gathered. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @throws WireError when one message alone is larger than a frame: whoever made it should have
   * sent it in parts. Messages added before and after are not affected.
   */
  add(message: Uint8Array): void {
    const bytes = RECORD_HEADER_BYTES + message.length;
    if (FRAME_HEADER_BYTES + bytes > this.#bytesMax) {
      const max = this.#bytesMax - FRAME_HEADER_BYTES - RECORD_HEADER_BYTES;
      throw new WireError(`expected a message of at most ${max} bytes, got ${message.length}.`);
    }
    const full = this.#messages.length === LIMITS.frameMessagesMax;
    if (full || this.#bytes + bytes > this.#bytesMax) this.#close();
    this.#messages.push(message);
    this.#bytes += bytes;
  }

  /** The frames to send, in order; the writer is empty afterwards. */
  take(): readonly Uint8Array[] {
    if (this.#messages.length > 0) this.#close();
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  #close(): void {
    const frame = new Uint8Array(this.#bytes);
    frame.set(FRAME_HEADER);
    let at = FRAME_HEADER_BYTES;
    for (const message of this.#messages) {
      writeUint32(frame, at, message.length);
      frame.set(message, at + RECORD_HEADER_BYTES);
      at += RECORD_HEADER_BYTES + message.length;
    }
    this.#frames.push(frame);
    this.#messages = [];
    this.#bytes = FRAME_HEADER_BYTES;
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

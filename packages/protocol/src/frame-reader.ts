import {
  cutShort,
  FRAME_HEADER_BYTES,
  type FrameRead,
  headerProblem,
  invalid,
  readUint32,
  RECORD_HEADER_BYTES,
  tooMany,
} from './frame.ts';
import { LIMITS } from './limits.ts';

/**
 * Reads one frame that arrives in pieces of any size.
 *
 * A length is compared with the limit as soon as it is known, before anything is kept for it.
 */
export class FrameReader {
  readonly #bytesMax: number;
  #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #record = new RecordBuffer();
  #bytes = 0;
  #messageCount = 0;
  #problem: string | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The messages that are complete now. Once it answers `invalid` it always does. */
  push(chunk: Uint8Array): FrameRead {
    if (this.#problem !== undefined) return invalid(this.#problem);
    if (this.#bytes + chunk.length > this.#bytesMax) {
      const bytes = this.#bytes + chunk.length;
      return this.#fail(`Frame of ${bytes} bytes or more: at most ${this.#bytesMax} are allowed.`);
    }
    this.#bytes += chunk.length;
    let at = this.#takeHeader(chunk);
    const messages: Uint8Array[] = [];
    while (at < chunk.length && this.#problem === undefined) {
      at += this.#takeRecord(chunk.subarray(at), this.#bytes - (chunk.length - at), messages);
    }
    return this.#problem === undefined ? { kind: 'messages', messages } : invalid(this.#problem);
  }

  /** Tells the reader that the frame is over; the next push begins another. */
  end(): FrameRead {
    if (this.#problem !== undefined) return invalid(this.#problem);
    if (this.#headerBytes < FRAME_HEADER_BYTES || this.#record.started) {
      return this.#fail(cutShort(this.#bytes));
    }
    this.#headerBytes = 0;
    this.#bytes = 0;
    this.#messageCount = 0;
    return { kind: 'messages', messages: [] };
  }

  #takeHeader(chunk: Uint8Array): number {
    const taken = Math.min(FRAME_HEADER_BYTES - this.#headerBytes, chunk.length);
    this.#header.set(chunk.subarray(0, taken), this.#headerBytes);
    this.#headerBytes += taken;
    this.#problem = headerProblem(this.#header.subarray(0, this.#headerBytes));
    return taken;
  }

  /** `frameAt` is where `chunk` begins in the frame. Answers how many bytes were used. */
  #takeRecord(chunk: Uint8Array, frameAt: number, messages: Uint8Array[]): number {
    const record = this.#record;
    if (!record.started && this.#messageCount === LIMITS.frameMessagesMax) {
      this.#problem = tooMany();
      return chunk.length;
    }
    const taken = record.take(chunk);
    const left = this.#bytesMax - frameAt - taken;
    if (record.missingBytes > left) {
      this.#problem =
        `Message of ${record.length} bytes: ${record.missingBytes} more would pass the frame's ` +
        `limit of ${this.#bytesMax} bytes.`;
      return taken;
    }
    const message = record.finished();
    if (message !== undefined) {
      messages.push(message);
      this.#messageCount++;
    }
    return taken;
  }

  #fail(problem: string): FrameRead {
    this.#problem = problem;
    return invalid(problem);
  }
}

/** Room for a record's body before its size is proven by bytes that arrived. */
const ROOM_BYTES_MIN = 1024;

/** One record while it arrives. */
class RecordBuffer {
  readonly #prefix = new Uint8Array(RECORD_HEADER_BYTES);
  #prefixBytes = 0;
  #body = new Uint8Array(0);
  #bodyBytes = 0;

  get started(): boolean {
    return this.#prefixBytes > 0;
  }

  /** Of the body; 0 until the prefix is complete. */
  get length(): number {
    return this.#prefixBytes < RECORD_HEADER_BYTES ? 0 : readUint32(this.#prefix, 0);
  }

  get missingBytes(): number {
    return RECORD_HEADER_BYTES - this.#prefixBytes + this.length - this.#bodyBytes;
  }

  /** Copies what belongs to this record, because the caller may use the chunk's memory again. */
  take(chunk: Uint8Array): number {
    const prefix = Math.min(RECORD_HEADER_BYTES - this.#prefixBytes, chunk.length);
    this.#prefix.set(chunk.subarray(0, prefix), this.#prefixBytes);
    this.#prefixBytes += prefix;
    const body = Math.min(this.length - this.#bodyBytes, chunk.length - prefix);
    if (body > 0) {
      this.#reserve(this.#bodyBytes + body);
      this.#body.set(chunk.subarray(prefix, prefix + body), this.#bodyBytes);
      this.#bodyBytes += body;
    }
    return prefix + body;
  }

  /** The body once all of it is there; the buffer is empty afterwards. */
  finished(): Uint8Array | undefined {
    if (this.missingBytes > 0) return undefined;
    const message = this.#body.subarray(0, this.#bodyBytes);
    this.#prefixBytes = 0;
    this.#body = new Uint8Array(0);
    this.#bodyBytes = 0;
    return message;
  }

  /**
   * Doubles, and never past the announced length: memory follows what was sent and not what was
   * promised, and a peer that sends single bytes cannot make us keep an object for each.
   */
  #reserve(bytes: number): void {
    if (bytes <= this.#body.length) return;
    const room = Math.max(bytes, 2 * this.#body.length, ROOM_BYTES_MIN);
    const grown = new Uint8Array(Math.min(room, this.length));
    grown.set(this.#body.subarray(0, this.#bodyBytes));
    this.#body = grown;
  }
}

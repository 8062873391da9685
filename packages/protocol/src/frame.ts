import type { Channel } from './messages/handshake.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire/wire-error.ts';

/**
 * One WebSocket message is one frame: `M`, `G`, the frame format, flags, and then for each
 * message its length (32 bits, big-endian) and its envelope. Everything a node has to say to one
 * peer in one turn goes into as few frames as the limit allows.
 */
const HEADER = [0x4d, 0x47, 1, 0] as const;
export const FRAME_HEADER_BYTES: number = HEADER.length;
export const RECORD_HEADER_BYTES = 4;

/** What a frame held. After `invalid` nothing that follows on the connection can be believed. */
export type FrameRead =
  | { readonly kind: 'messages'; readonly messages: readonly Uint8Array[] }
  | { readonly kind: 'invalid'; readonly problem: string };

/** The largest frame that may travel on a channel, header included. */
export function frameBytesMax(channel: Channel): number {
  return channel === 'control' ? LIMITS.controlFrameBytesMax : LIMITS.bulkFrameBytesMax;
}

/** Gathers the messages of one turn for one connection. */
export class FrameWriter {
  readonly #bytesMax: number;
  #frames: Uint8Array[] = [];
  #messages: Uint8Array[] = [];
  #bytes = FRAME_HEADER_BYTES;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
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
    frame.set(HEADER);
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

/** All messages of one whole frame, as views into it. Never throws, whatever the bytes. */
export function readFrame(frame: Uint8Array, bytesMax: number): FrameRead {
  if (frame.length > bytesMax) {
    return invalid(`Frame of ${frame.length} bytes: at most ${bytesMax} are allowed.`);
  }
  const problem = headerProblem(frame);
  if (problem !== undefined) return invalid(problem);
  if (frame.length < FRAME_HEADER_BYTES) return invalid(cutShort(frame.length));
  const messages: Uint8Array[] = [];
  let at = FRAME_HEADER_BYTES;
  while (at < frame.length) {
    if (messages.length === LIMITS.frameMessagesMax) return invalid(tooMany());
    const left = frame.length - at - RECORD_HEADER_BYTES;
    if (left < 0) return invalid(cutShort(frame.length));
    const length = readUint32(frame, at);
    if (length > left) {
      return invalid(`Message of ${length} bytes at byte ${at}: the frame has ${left} left.`);
    }
    at += RECORD_HEADER_BYTES;
    messages.push(frame.subarray(at, at + length));
    at += length;
  }
  return { kind: 'messages', messages };
}

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

/** What is wrong with as much of the header as is there. */
function headerProblem(bytes: Uint8Array): string | undefined {
  const [m, g, format, flags] = HEADER;
  if ((bytes.length > 0 && bytes[0] !== m) || (bytes.length > 1 && bytes[1] !== g)) {
    return `Not a memgrid frame: it begins with 0x${hex(bytes[0])}${hex(bytes[1])} and not with "MG".`;
  }
  if (bytes.length > 2 && bytes[2] !== format) {
    return `Frame format ${bytes[2]}: this version reads format ${format}.`;
  }
  if (bytes.length > 3 && bytes[3] !== flags) {
    return `Frame flags ${bytes[3]}: this version knows no flags.`;
  }
  return undefined;
}

function hex(byte: number | undefined): string {
  return byte === undefined ? '' : byte.toString(16).padStart(2, '0');
}

function cutShort(bytes: number): string {
  return `Frame ends after ${bytes} bytes, in the middle of a header or a message.`;
}

function tooMany(): string {
  return `Frame of more than ${LIMITS.frameMessagesMax} messages: no more are allowed.`;
}

function invalid(problem: string): FrameRead {
  return { kind: 'invalid', problem };
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function readUint32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] as number);
  return value;
}

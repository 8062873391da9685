import type { Channel } from './messages/handshake.ts';
import { LIMITS } from './limits.ts';

/**
 * One WebSocket message is one frame: `M`, `G`, the frame format, flags, and then for each
 * message its length (32 bits, big-endian) and its envelope. Everything a node has to say to one
 * peer in one turn goes into as few frames as the limit allows.
 */
export const FRAME_HEADER = [0x4d, 0x47, 1, 0] as const;
export const FRAME_HEADER_BYTES: number = FRAME_HEADER.length;
export const RECORD_HEADER_BYTES = 4;

/** What a frame held. After `invalid` nothing that follows on the connection can be believed. */
export type FrameRead =
  | { readonly kind: 'messages'; readonly messages: readonly Uint8Array[] }
  | { readonly kind: 'invalid'; readonly problem: string };

/** The largest frame that may travel on a channel, header included. */
export function frameBytesMax(channel: Channel): number {
  return channel === 'control' ? LIMITS.controlFrameBytesMax : LIMITS.bulkFrameBytesMax;
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

/** What is wrong with as much of the header as is there. */
export function headerProblem(bytes: Uint8Array): string | undefined {
  const [m, g, format, flags] = FRAME_HEADER;
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

export function cutShort(bytes: number): string {
  return `Frame ends after ${bytes} bytes, in the middle of a header or a message.`;
}

export function tooMany(): string {
  return `Frame of more than ${LIMITS.frameMessagesMax} messages: no more are allowed.`;
}

export function invalid(problem: string): FrameRead {
  return { kind: 'invalid', problem };
}

export function readUint32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] as number);
  return value;
}

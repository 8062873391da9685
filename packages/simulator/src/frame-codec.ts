import {
  decodeEnvelope,
  encodeEnvelope,
  frameBytesMax,
  FrameWriter,
  LIMITS,
  readFrame,
} from '@memgrid/protocol';
import type { DecodedEnvelope, Envelope } from '@memgrid/protocol';

/** What one node sent over one link in one turn. */
export type WireFrame =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Passed by reference, for speed: messages are plain data that nobody changes. */
  | { readonly kind: 'messages'; readonly envelopes: readonly Envelope[]; readonly bytes: number };

/** What a frame held, message by message; after `invalid` nothing else was believed. */
export type ReceivedMessage = DecodedEnvelope;

/**
 * How messages get from one process to another: through the real codec, or by reference when
 * speed matters more than the codec being part of the test.
 */
export type CodecChoice = 'real' | 'reference';

/** The usual size of a message on the wire, for bandwidth when nothing is encoded. */
const MESSAGE_BYTES_GUESS = 150;

export function encodeFrames(
  envelopes: readonly Envelope[],
  codec: CodecChoice,
): readonly WireFrame[] {
  if (codec === 'reference') {
    return [{ kind: 'messages', envelopes, bytes: envelopes.length * MESSAGE_BYTES_GUESS }];
  }
  const writer = new FrameWriter(frameBytesMax('control'));
  for (const envelope of envelopes) writer.add(encodeEnvelope(envelope));
  return writer.take().map((bytes) => ({ kind: 'bytes', bytes }));
}

export function frameBytes(frame: WireFrame): number {
  return frame.kind === 'bytes' ? frame.bytes.length : frame.bytes;
}

export function decodeFrame(frame: WireFrame): readonly ReceivedMessage[] {
  if (frame.kind === 'messages') {
    return frame.envelopes.map((envelope) => ({ kind: 'message', envelope }));
  }
  const read = readFrame(frame.bytes, LIMITS.bulkFrameBytesMax);
  if (read.kind === 'invalid') return [read];
  const received: ReceivedMessage[] = [];
  for (const message of read.messages) {
    const decoded = decodeEnvelope(message);
    received.push(decoded);
    if (decoded.kind === 'invalid') break;
  }
  return received;
}

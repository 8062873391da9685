import type { Generation, NodeId } from './ids.ts';
import type { Message } from './messages/message.ts';

/** A hybrid-clock reading as it travels: 48-bit milliseconds and a 16-bit counter. */
export interface Timestamp {
  readonly ms: number;
  readonly counter: number;
}

/**
 * What travels around every message.
 *
 * On the wire: `[version, type, flags, cluster32, source, sourceGeneration, targetGeneration,
 * sequence, [ms, counter], controlIndex, body]`.
 */
export interface Envelope {
  readonly version: number;
  readonly flags: number;
  /** The first 32 bits of the cluster id; 0 while the sender has none. */
  readonly cluster32: number;
  readonly source: NodeId;
  readonly sourceGeneration: Generation;
  /** 0 while the sender does not know it (the handshake). */
  readonly targetGeneration: Generation;
  /** Counts the messages of one connection in one direction, from 1. */
  readonly sequence: number;
  readonly timestamp: Timestamp;
  /** The sender's applied control index: a hint that there is news to pull. */
  readonly controlIndex: number;
  readonly message: Message;
}

import type { Answers, Message, Operations } from '@memgrid/protocol';
import { LINKS } from './links-io.ts';

/** What one item of a list costs beside its bytes. */
const ITEM_BYTES = 128;

/**
 * Too big for the control link: it would keep heartbeats waiting, or be refused there. Counts the
 * bytes that a message carries and guesses the rest.
 */
export function isHeavy(message: Message): boolean {
  return carriedBytes(message) > LINKS.controlMessageBytesMax;
}

function carriedBytes(message: Message): number {
  switch (message.type) {
    case 'operations':
    case 'answers':
      return payloadBytes(message);
    case 'replicate':
      return sum(message.shards, ({ records }) => sum(records, ({ body }) => body.length));
    case 'logSuffix':
      return sum(message.records, ({ body }) => body.length);
    case 'keyQueryResp':
    case 'offerOrphan':
      return message.state.length;
    case 'streamChunk':
      return (
        sum(message.entries, ({ state }) => state.length) +
        sum(message.operations, ({ outcome }) => outcome.length)
      );
    default:
      // Everything else is bounded to less by the protocol, or has its own place in it.
      return 0;
  }
}

function payloadBytes(message: Operations | Answers): number {
  if (message.type === 'operations') {
    return sum(message.operations, ({ body }) => {
      if (body.kind === 'put') return body.entry.length;
      return body.kind === 'update' ? body.patch.length : 0;
    });
  }
  return sum(message.answers, ({ result }) => {
    switch (result.kind) {
      case 'found':
        return result.found.entry.length;
      case 'listed':
        return sum(result.entries, ({ entry }) => entry.length);
      case 'history':
        return sum(result.steps, ({ entry }) => entry.length);
      case 'failed':
        return result.details.length;
      default:
        return 0;
    }
  });
}

function sum<T>(items: readonly T[], bytesOf: (item: T) => number): number {
  return items.reduce((bytes, item) => bytes + ITEM_BYTES + bytesOf(item), 0);
}

import { decodeValue, entryBodyField, entryStateField, recordBodyField } from '@memgrid/protocol';
import type { ShardTraceLine } from './shard-world.ts';

/** One line for a reader: node ids as n1, n2, …, bytes as what they mean. */
export function renderShardTrace({ atMs, node, what, detail }: ShardTraceLine): string {
  const time = atMs.toFixed(3).padStart(10);
  const head = `${time} ${node.padEnd(6)} ${what}`;
  if (detail === undefined) return head;
  const text = JSON.stringify(detail, (_name, value: unknown) => readable(value));
  return `${head} ${named(text)}`;
}

function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return meaningOf(value);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return value;
}

/** Bytes do not say what they are: the first reading that fits is shown. */
function meaningOf(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return '';
  for (const read of [recordOf, stateOf, entryOf]) {
    try {
      return read(bytes);
    } catch {
      // Not this; the next may fit.
    }
  }
  return `${bytes.length} bytes`;
}

function recordOf(bytes: Uint8Array): unknown {
  return decodeValue(recordBodyField, bytes);
}

function stateOf(bytes: Uint8Array): unknown {
  const { siblings } = decodeValue(entryStateField, bytes);
  return siblings.map(({ dot, value }) => {
    const content = value.entry.length === 0 ? value.kind : entryOf(value.entry);
    return `${String(content)}@${dot.actor}:${dot.counter}`;
  });
}

function entryOf(bytes: Uint8Array): string {
  return decodeValue(entryBodyField, bytes).content;
}

/** The ids of a world of shards are numbers from 1 in hexadecimal. */
function named(text: string): string {
  return text.replaceAll(
    /0{24,}([0-9a-f]+)/g,
    (_id, digits: string) => `n${Number.parseInt(digits, 16)}`,
  );
}

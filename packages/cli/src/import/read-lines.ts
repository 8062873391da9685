/** One line of a file, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly content:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'problem'; readonly problem: string };
  /** Bytes of the file up to the end of this line. */
  readonly bytes: number;
}

/** Longer lines are no entries: content and metadata together are at most 256 KiB. */
const LINE_BYTES_MAX = 1024 * 1024;

const LINE_FEED = 0x0a;

/**
 * The lines of a file while it is read, in bounded memory whatever the file is. A line that is too
 * long or is no UTF-8 is told as a problem, and reading goes on with the next one.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let bytes = 0;
  let number = 0;
  const line = (): Line => {
    number += 1;
    const content = contentOf(pending, pendingBytes, decoder);
    pending = [];
    pendingBytes = 0;
    return { number, content, bytes };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      pendingBytes += end - from;
      if (pendingBytes <= LINE_BYTES_MAX) pending.push(chunk.subarray(from, end));
      bytes += end - from + 1;
      from = end + 1;
      yield line();
    }
    const rest = chunk.length - from;
    pendingBytes += rest;
    bytes += rest;
    // Of a line that is too long only the length is kept.
    if (pendingBytes <= LINE_BYTES_MAX) pending.push(chunk.subarray(from));
    else pending = [];
  }
  if (pendingBytes > 0) yield line();
}

function contentOf(
  parts: readonly Uint8Array[],
  bytes: number,
  decoder: { decode(bytes: Uint8Array): string },
): Line['content'] {
  if (bytes > LINE_BYTES_MAX) {
    const problem = `The line has ${bytes} bytes; at most ${LINE_BYTES_MAX} are read.`;
    return { kind: 'problem', problem };
  }
  try {
    const text = decoder.decode(Buffer.concat(parts));
    return { kind: 'text', text: text.endsWith('\r') ? text.slice(0, -1) : text };
  } catch {
    return { kind: 'problem', problem: 'The line is no UTF-8.' };
  }
}

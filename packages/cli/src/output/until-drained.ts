import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Waits until there is room for more, or there will be none any more. Never rejects. */
export async function untilDrained(stream: Writable): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } catch {
    // The stream failed: whoever opened it listens for that.
  } finally {
    // Or each wait would leave a listener behind.
    over.abort();
  }
}

/**
 * Does `work` for 0 to `count - 1`, at most `max` at the same time. After a failure nothing more
 * begins; it is thrown when everything that was under way has ended.
 */
export async function inParallel(
  count: number,
  max: number,
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (next < count && !hasFailed) {
      const at = next;
      next += 1;
      try {
        await work(at);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(max, count) }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/**
 * Runs `work` for every item, at most `max` at the same time, and gives the results in the order in
 * which they come. An item is taken only when there is room for it, so a long list is never held.
 *
 * The first failure ends it; `work` that may fail says so in its result.
 */
export async function* concurrently<Item, Result>(
  items: AsyncIterable<Item>,
  max: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running = new Set<Promise<Finished<Result>>>();
  const begin = (item: Item): void => {
    const task: Promise<Finished<Result>> = work(item).then((result) => ({ task, result }));
    running.add(task);
  };
  const next = async (): Promise<Result> => {
    const { task, result } = await Promise.race(running);
    running.delete(task);
    return result;
  };
  for await (const item of items) {
    begin(item);
    if (running.size >= max) yield await next();
  }
  while (running.size > 0) yield await next();
}

interface Finished<Result> {
  readonly task: Promise<Finished<Result>>;
  readonly result: Result;
}

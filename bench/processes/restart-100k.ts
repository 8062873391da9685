import { median, percentile, seconds, type Bench } from '../measurement.ts';
import { entryProcess, withDataDirectory } from './entry-process.ts';

const BAR_MS = 3_000;

/** From the start of a process over 100,000 entries to its first answer. */
export const restart100k: Bench = {
  row: 'restart-100k',
  async run(effort, progress) {
    const entries = effort === 'full' ? 100_000 : 5_000;
    const rounds = effort === 'full' ? 7 : 2;
    const firstMs: number[] = [];
    const startedMs: number[] = [];
    await withDataDirectory(async (data) => {
      progress(`putting ${entries} entries`);
      await entryProcess('fill', { data, entries });
      for (let round = 1; round <= rounds; round += 1) {
        const numbers = await entryProcess('serve', { data, entries });
        firstMs.push(numbers['firstMs'] ?? Number.NaN);
        startedMs.push(numbers['startedMs'] ?? Number.NaN);
        progress(`round ${round}: ${seconds(firstMs.at(-1) ?? 0)}`);
      }
    });
    const worst = percentile(firstMs, 100);
    return [
      {
        row: 'restart-100k',
        what: `restart over ${entries} entries, from the start of the process to the first strong read, ${rounds} rounds`,
        bar: seconds(BAR_MS),
        measured:
          `median ${seconds(median(firstMs))}, worst ${seconds(worst)} ` +
          `(all read and checked after ${seconds(median(startedMs))})`,
        met: median(firstMs) <= BAR_MS,
        numbers: {
          medianMs: median(firstMs),
          worstMs: worst,
          startedMs: median(startedMs),
          rounds,
        },
      },
    ];
  },
};

import type { Bench, Measurement } from '../measurement.ts';
import { entryProcess, withDataDirectory } from './entry-process.ts';

const RSS_BAR_BYTES = 1.2e9;
const LOOP_BAR_MS = 20;
/** A tenth to a quarter of what one core answers through the whole node. */
const RATE = 2_000;

/** A million entries on one node: what the process takes, and how prompt it stays under load. */
export const entries1m: Bench = {
  row: 'entries-1m',
  async run(effort, progress) {
    const entries = effort === 'full' ? 1_000_000 : 20_000;
    const seconds = effort === 'full' ? 60 : 5;
    progress(`putting ${entries} entries, then ${RATE} operations a second for ${seconds} s`);
    const numbers = await withDataDirectory((data) =>
      entryProcess('load', { data, entries, rate: RATE, seconds }),
    );
    return rowsOf(entries, seconds, numbers);
  },
};

function rowsOf(
  entries: number,
  seconds: number,
  numbers: Readonly<Record<string, number>>,
): readonly Measurement[] {
  const { rssMax = 0, loopP99Ms = 0, loopMaxMs = 0, filledMs = 0, refused = 0 } = numbers;
  const { latencyP50Ms = 0, latencyP99Ms = 0 } = numbers;
  const million = entries === 1_000_000 ? 'one million' : entries;
  const load = `${RATE} operations a second (one in five a quorum write, the rest strong reads) for ${seconds} s`;
  return [
    {
      row: 'entries-1m',
      what: `resident memory with ${million} 300-byte entries on one node, under ${load}`,
      bar: 'at most 1.20 GB',
      measured: `${(rssMax / 1e9).toFixed(2)} GB (filled at ${((entries / filledMs) * 1000).toFixed(0)} a second)`,
      met: rssMax <= RSS_BAR_BYTES && refused === 0,
      numbers,
    },
    {
      row: 'entries-1m',
      what: 'event-loop delay of that node meanwhile',
      bar: `p99 at most ${LOOP_BAR_MS} ms`,
      measured:
        `p99 ${loopP99Ms.toFixed(1)} ms, worst ${loopMaxMs.toFixed(0)} ms; answers median ` +
        `${latencyP50Ms.toFixed(1)} ms, p99 ${latencyP99Ms.toFixed(1)} ms, ${refused} refused`,
      met: loopP99Ms <= LOOP_BAR_MS && refused === 0,
      numbers,
    },
  ];
}

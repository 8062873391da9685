import type { Call } from './call-tree.ts';
import type { ProfileSummary, Spent } from './cpu-profile.ts';

/** One process under one load. */
export interface ProfiledProcess {
  readonly workload: string;
  /** `one node`. */
  readonly where: string;
  /** `the node`, `the client`. */
  readonly who: string;
  /** Operations acknowledged while the profile was made. */
  readonly operations: number;
  readonly perSecond: number;
  /** Of the processors, by all threads of all servers, or of the client, as the kernel counts it. */
  readonly cpuUs: number | undefined;
  readonly summary: ProfileSummary;
  readonly tree: Call;
  /** What its files are called, without an ending: `set-1-node`. */
  readonly file: string;
}

const FUNCTIONS_MAX = 25;
const INCLUSIVE_MAX = 25;
const PACKAGES_MAX = 20;

/** Where the time of a process goes, as Markdown. */
export function profileText(profiled: ProfiledProcess): string {
  const { workload, where, who, operations, perSecond, summary } = profiled;
  const { totalUs, idleUs, functions, inclusive, packages } = summary;
  const busyUs = totalUs - idleUs;
  const share = ((busyUs / totalUs) * 100).toFixed(0);
  const table = (heading: string, all: readonly Spent[], max: number): readonly string[] => [
    `| ${heading} | share | µs each |`,
    '|---|---:|---:|',
    ...all.slice(0, max).map(({ name, us }) => {
      const percent = ((us / busyUs) * 100).toFixed(1);
      return `| ${name.replaceAll('|', '\\|')} | ${percent} % | ${(us / operations).toFixed(2)} |`;
    }),
    '',
  ];
  return [
    `## ${workload}, ${where}: ${who}`,
    '',
    `${Math.round(perSecond).toLocaleString('en-US')} operations a second while it was profiled; the main ` +
      `thread was busy for ${share} % of the time: ${(busyUs / operations).toFixed(1)} µs for each operation.`,
    '',
    ...table('part', packages, PACKAGES_MAX),
    ...table('function itself', functions, FUNCTIONS_MAX),
    ...table('function and what it calls', inclusive, INCLUSIVE_MAX),
  ].join('\n');
}

import type { ProfiledProcess } from './profile-text.ts';

const BEGIN = '<!-- profiled: begin (written by `pnpm bench --profile --record`) -->';
const END = '<!-- profiled: end -->';

const PARTS_MAX = 14;
const FUNCTIONS_MAX = 6;

export interface ProfiledOn {
  readonly commit: string;
  readonly machine: string;
  readonly date: string;
}

/**
 * The page with what was profiled between its two marks: for each group of processes one table of
 * microseconds for each operation, by part, and the functions that take most.
 *
 * @throws Error when the page has no such marks.
 */
export function withProfiles(
  page: string,
  profiled: readonly ProfiledProcess[],
  { commit, machine, date }: ProfiledOn,
): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('The page has no place for profiles.');
  const groups = Map.groupBy(profiled, ({ where }) => where);
  const text = [
    BEGIN,
    `Commit ${commit}, ${machine}, ${date.slice(0, 10)}. The main thread alone, in microseconds for each ` +
      'operation; profiling itself costs some per cent.',
    '',
    ...[...groups].flatMap(([where, members]) => [`### ${where}`, '', ...groupText(members), '']),
  ].join('\n');
  return `${page.slice(0, begin)}${text}${page.slice(end)}`;
}

function groupText(members: readonly ProfiledProcess[]): readonly string[] {
  const perPart = members.map(
    ({ summary, operations }) =>
      new Map(summary.packages.map(({ name, us }) => [name, us / operations])),
  );
  const totals = new Map<string, number>();
  for (const parts of perPart) {
    for (const [name, us] of parts) totals.set(name, (totals.get(name) ?? 0) + us);
  }
  const names = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const row = (name: string, of: (parts: ReadonlyMap<string, number>) => number): string =>
    line([name, ...perPart.map((parts) => of(parts).toFixed(2))]);
  const shown = names.slice(0, PARTS_MAX);
  const rest = names.slice(PARTS_MAX);
  return [
    line(['part', ...members.map(({ workload, who }) => `${workload}: ${who}`)]),
    line(['---', ...members.map(() => '---:')]),
    ...shown.map((name) => row(name, (parts) => parts.get(name) ?? 0)),
    row('everything else', (parts) => sum(rest.map((name) => parts.get(name) ?? 0))),
    row('**together**', (parts) => sum([...parts.values()])),
    '',
    ...members.map(functionsText),
  ];
}

function functionsText({ workload, who, operations, perSecond, summary }: ProfiledProcess): string {
  const busy = (1 - summary.idleUs / summary.totalUs) * 100;
  const most = summary.functions
    .slice(0, FUNCTIONS_MAX)
    .map(({ name, us }) => `\`${name}\` ${(us / operations).toFixed(2)}`);
  const rate = Math.round(perSecond).toLocaleString('en-US');
  return `- ${workload}, ${who}: ${rate} a second, busy for ${busy.toFixed(0)} % of the time; most in ${most.join(', ')}.`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

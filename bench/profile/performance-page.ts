import { layersOf } from './call-tree.ts';
import { LAYERS, type LayerName } from './layers.ts';
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
 * microseconds for each operation by layer, one by part of the code, and the functions that take most.
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
      'operation, except in the last line; profiling itself costs some per cent.',
    '',
    ...[...groups].flatMap(([where, members]) => [`### ${where}`, '', ...groupText(members), '']),
  ].join('\n');
  return `${page.slice(0, begin)}${text}${page.slice(end)}`;
}

function groupText(members: readonly ProfiledProcess[]): readonly string[] {
  return [
    ...members.map(mostText),
    '',
    ...layersText(members),
    '',
    `As pictures: ${members.map(linkText).join(', ')}.`,
    '',
    'By part of the code:',
    '',
    ...partsText(members),
  ];
}

const LAYERS_NAMED = 3;

/** `- set, the node: 60.1 µs, most of it in messages (31 %), shards (20 %) and memory (11 %)`. */
function mostText({ workload, who, operations, tree }: ProfiledProcess): string {
  const most = [...layersOf(tree)]
    .slice(0, LAYERS_NAMED)
    .map(([name, us]) => `${name} (${((100 * us) / tree.us).toFixed(0)} %)`);
  const each = (tree.us / operations).toFixed(1);
  return `- ${workload}, ${who}: ${each} µs, most of it in ${most.slice(0, -1).join(', ')} and ${most.at(-1)}.`;
}

function linkText({ workload, who, file }: ProfiledProcess): string {
  return `[${workload}, ${who}](../bench/reports/${flameGraphName(file)})`;
}

/** Of the picture beside the reports. */
export function flameGraphName(file: string): string {
  return `profile-${file}.svg`;
}

/** What a newcomer asks for: few lines, in words. */
function layersText(members: readonly ProfiledProcess[]): readonly string[] {
  const perMember = members.map(({ tree, operations }) => {
    const spent = layersOf(tree);
    return {
      share: (name: LayerName) => (spent.get(name) ?? 0) / tree.us,
      all: tree.us / operations,
    };
  });
  const weight = (name: LayerName): number => sum(perMember.map(({ share }) => share(name)));
  const names = (Object.keys(LAYERS) as LayerName[])
    .filter((name) => weight(name) > 0)
    .sort((a, b) => weight(b) - weight(a));
  const cpu = members.map(({ cpuUs }) => cpuUs?.toFixed(2) ?? 'unknown');
  return [
    line(['layer', 'what happens there', ...members.map(heading)]),
    line(['---', '---', ...members.map(() => '---:')]),
    ...names.map((name) => {
      const cells = perMember.map(({ share, all }) => {
        return `${(share(name) * all).toFixed(2)} (${(100 * share(name)).toFixed(0)} %)`;
      });
      return line([name, LAYERS[name].does, ...cells]);
    }),
    line(['**together**', 'the main thread', ...perMember.map(({ all }) => all.toFixed(2))]),
    line([
      'processors',
      'all threads of all nodes, or of the client, as the kernel counts',
      ...cpu,
    ]),
  ];
}

function heading({ workload, who }: ProfiledProcess): string {
  return `${workload}: ${who}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function partsText(members: readonly ProfiledProcess[]): readonly string[] {
  const perPart = members.map(
    ({ summary, operations }) =>
      new Map(summary.packages.map(({ name, us }) => [name, us / operations])),
  );
  const totals = new Map<string, number>();
  for (const parts of perPart) {
    for (const [name, us] of parts) totals.set(name, (totals.get(name) ?? 0) + us);
  }
  const names = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const row = (name: string, of: (parts: ReadonlyMap<string, number>) => number): string =>
    line([name, ...perPart.map((parts) => of(parts).toFixed(2))]);
  const shown = names.slice(0, PARTS_MAX);
  const rest = names.slice(PARTS_MAX);
  return [
    line(['part', ...members.map(heading)]),
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

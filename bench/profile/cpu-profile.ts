/** A `.cpuprofile`, as V8 makes it and Chrome and VS Code show it: as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Of the node that ran at each moment of looking. */
  readonly samples: readonly number[];
  /** Microseconds since the moment before. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

export interface Spent {
  readonly name: string;
  readonly us: number;
}

export interface ProfileSummary {
  readonly totalUs: number;
  /** Nothing to do. */
  readonly idleUs: number;
  /** The time in each function itself, the most first. */
  readonly functions: readonly Spent[];
  /** The time in each function and what it called, the most first. */
  readonly inclusive: readonly Spent[];
  /** The time in each part of memgrid, in each other package and in Node, the most first. */
  readonly packages: readonly Spent[];
}

/** Idleness, and what the profile itself takes to begin and to be handed over. */
export function isNoWork({ callFrame }: ProfileNode): boolean {
  return callFrame.functionName === '(idle)' || callFrame.url === 'node:inspector';
}

export function summaryOf(profile: CpuProfile): ProfileSummary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfUs = new Map<number, number>();
  for (const [at, id] of profile.samples.entries()) {
    add(selfUs, id, profile.timeDeltas[at] ?? 0);
  }
  const [functions, packages] = [new Map<string, number>(), new Map<string, number>()];
  for (const [id, us] of selfUs) {
    const node = nodes.get(id);
    if (node === undefined || isNoWork(node)) continue;
    add(functions, functionName(node), us);
    add(packages, packageName(node), us);
  }
  const idle = profile.nodes.filter(isNoWork);
  return {
    totalUs: profile.timeDeltas.reduce((sum, us) => sum + us, 0),
    idleUs: idle.reduce((sum, { id }) => sum + (selfUs.get(id) ?? 0), 0),
    functions: mostFirst(functions),
    inclusive: mostFirst(inclusiveUs(nodes, selfUs)),
    packages: mostFirst(packages),
  };
}

/** A function that calls itself counts once: only where it is not below itself. */
function inclusiveUs(
  nodes: ReadonlyMap<number, ProfileNode>,
  selfUs: ReadonlyMap<number, number>,
): ReadonlyMap<string, number> {
  const spent = new Map<string, number>();
  const above: string[] = [];
  const visit = (node: ProfileNode): number => {
    const name = functionName(node);
    const isOutermost = !above.includes(name);
    above.push(name);
    let us = selfUs.get(node.id) ?? 0;
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child !== undefined) us += visit(child);
    }
    above.pop();
    if (isOutermost && node.callFrame.url !== '') add(spent, name, us);
    return us;
  };
  const called = new Set([...nodes.values()].flatMap(({ children }) => children ?? []));
  for (const node of nodes.values()) if (!called.has(node.id)) visit(node);
  return spent;
}

/** `#sendBatch (client/src/client-socket.ts:41)`. */
export function functionName({ callFrame }: ProfileNode): string {
  const { functionName: name, url, lineNumber } = callFrame;
  if (url === '') return name === '' ? '(native)' : name;
  return `${name === '' ? '(anonymous)' : name} (${placeOf(url)}:${lineNumber + 1})`;
}

/** Without what differs from one machine to the next. */
function placeOf(url: string): string {
  if (url.startsWith('node:')) return url;
  const known = /(?:node_modules|packages)\/((?!\.pnpm).+)$/.exec(url)?.[1];
  return known ?? url.split('/').slice(-2).join('/');
}

/** `core/shards`, `ws`, `node:net`, `garbage collection`. */
export function packageName({ callFrame }: ProfileNode): string {
  const { functionName: name, url } = callFrame;
  if (name === '(garbage collector)') return 'garbage collection';
  if (url === '') return name === '(program)' ? 'the engine itself' : 'native functions';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const own = /\/packages\/([^/]+)\/src\/(.+)$/.exec(url);
  if (own !== null) {
    const [, name = '', rest = ''] = own;
    return rest.includes('/') ? `${name}/${rest.split('/')[0]}` : name;
  }
  const other = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  return other?.[1] ?? placeOf(url);
}

function add<Key>(map: Map<Key, number>, key: Key, us: number): void {
  map.set(key, (map.get(key) ?? 0) + us);
}

function mostFirst(spent: ReadonlyMap<string, number>): readonly Spent[] {
  return [...spent].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);
}

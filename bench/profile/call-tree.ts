import { functionName, isNoWork, packageName, type CpuProfile } from './cpu-profile.ts';
import { layerOf, type LayerName } from './layers.ts';

/** A function where it was called, with all the time that was spent below it. */
export interface Call {
  /** `#sendBatch (client/src/client-socket.ts:41)`. */
  readonly name: string;
  readonly layer: LayerName;
  /** In the function itself. */
  readonly selfUs: number;
  /** With what it called. */
  readonly us: number;
  /** The most first. */
  readonly calls: readonly Call[];
}

interface Growing {
  readonly name: string;
  readonly layer: LayerName;
  selfUs: number;
  readonly calls: Map<string, Growing>;
}

/**
 * Who called whom and for how long. Idleness is left out. Where a function calls another one from several
 * places, these are one.
 */
export function callTree(profile: CpuProfile): Call {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfUs = new Map<number, number>();
  for (const [at, id] of profile.samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0));
  }
  const root: Growing = { name: 'all', layer: 'engine', selfUs: 0, calls: new Map() };
  const grow = (caller: Growing, id: number): void => {
    const node = nodes.get(id);
    if (node === undefined || isNoWork(node)) return;
    const name = functionName(node);
    const layer = layerOf(packageName(node), caller.layer);
    let call = caller.calls.get(name);
    if (call === undefined) {
      call = { name, layer, selfUs: 0, calls: new Map() };
      caller.calls.set(name, call);
    }
    call.selfUs += selfUs.get(id) ?? 0;
    for (const child of node.children ?? []) grow(call, child);
  };
  const called = new Set(profile.nodes.flatMap(({ children }) => children ?? []));
  for (const { id, children } of profile.nodes) {
    // The root itself is no function; what it calls is where a stack begins.
    if (!called.has(id)) for (const child of children ?? []) grow(root, child);
  }
  return grown(root);
}

function grown({ name, layer, selfUs, calls }: Growing): Call {
  const below = [...calls.values()].map(grown).sort((a, b) => b.us - a.us);
  const us = below.reduce((sum, call) => sum + call.us, selfUs);
  return { name, layer, selfUs, us, calls: below };
}

/** The time in each layer itself, the most first. */
export function layersOf(tree: Call): ReadonlyMap<LayerName, number> {
  const spent = new Map<LayerName, number>();
  const visit = ({ layer, selfUs, calls }: Call): void => {
    spent.set(layer, (spent.get(layer) ?? 0) + selfUs);
    for (const call of calls) visit(call);
  };
  visit(tree);
  return new Map([...spent].filter(([, us]) => us > 0).sort(([, a], [, b]) => b - a));
}

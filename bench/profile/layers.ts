/** What a newcomer tells apart of all that a call passes. */
export type LayerName =
  | 'network'
  | 'messages'
  | 'entry'
  | 'call'
  | 'admission'
  | 'shards'
  | 'memory'
  | 'disk'
  | 'cluster'
  | 'event loop'
  | 'garbage'
  | 'engine'
  | 'measuring';

export interface Layer {
  readonly does: string;
  /** In a picture. */
  readonly colour: string;
}

export const LAYERS: Readonly<Record<LayerName, Layer>> = {
  network: { does: 'sockets: system calls, frames, the streams of Node', colour: '#f2a65a' },
  messages: { does: 'messages become bytes, and bytes messages, each checked', colour: '#f6d55c' },
  entry: { does: 'an entry is checked, and brought into its canonical form', colour: '#a8d672' },
  call: { does: 'operation ids, which node to ask, calls that wait', colour: '#7fc8a9' },
  admission: { does: 'who may, how much, and whose turn it is', colour: '#5fb0c9' },
  shards: { does: 'order, versions, conditions, the log, the other copies', colour: '#8ea9e8' },
  memory: { does: 'entries are found, kept and put in order', colour: '#b79be0' },
  disk: { does: 'what is to be on disk is queued, written and synced', colour: '#d99ac5' },
  cluster: { does: 'members, heartbeats, the plan of who has which copy', colour: '#c9b18f' },
  'event loop': {
    does: 'timers, promises, events from one machine to the next',
    colour: '#d9dfe5',
  },
  garbage: { does: 'memory that nobody needs any more is given back', colour: '#e8837e' },
  engine: { does: 'V8 itself: compiling, and what is on no function', colour: '#99a1a9' },
  measuring: { does: 'the generator of the load, which is no part of memgrid', colour: '#efe6da' },
};

/**
 * Which layer a part of the code belongs to: the first of these that is the beginning of its name, as
 * `packageName` tells it. `caller`: it works for whoever calls it.
 */
const LAYER_OF_PART: readonly (readonly [part: string, layer: LayerName | 'caller'])[] = [
  ['garbage collection', 'garbage'],
  ['native functions', 'caller'],
  ['the engine itself', 'engine'],
  ['cli', 'measuring'],
  ['bench', 'measuring'],
  ['ws', 'network'],
  ['node/net', 'network'],
  ['node/http', 'network'],
  ['node/disk', 'disk'],
  ['node', 'event loop'],
  ['msgpackr', 'messages'],
  ['protocol/entry', 'entry'],
  ['protocol/schema', 'entry'],
  ['protocol/placement', 'call'],
  ['protocol/causality', 'shards'],
  ['protocol', 'messages'],
  ['client', 'call'],
  ['core/session', 'call'],
  ['core/routing', 'call'],
  ['core/gateway', 'admission'],
  ['core/schema-registry', 'entry'],
  ['core/shards', 'shards'],
  ['core/hybrid-clock', 'shards'],
  ['core/entries', 'memory'],
  ['core/node', 'event loop'],
  ['core/', 'cluster'],
  ['core', 'event loop'],
  ['classic-level', 'disk'],
  ['abstract-level', 'disk'],
  ['node:internal/timers', 'event loop'],
  ['node:internal/process', 'event loop'],
  ['node:internal/buffer', 'caller'],
  ['node:internal/util', 'caller'],
  ['node:internal/encoding', 'caller'],
  ['node:buffer', 'caller'],
  ['node:util', 'caller'],
  ['node:', 'network'],
];

/** @param caller what called it; a package that nobody knows works for that too. */
export function layerOf(part: string, caller: LayerName): LayerName {
  const found = LAYER_OF_PART.find(([name]) => isOf(part, name))?.[1] ?? 'caller';
  return found === 'caller' ? caller : found;
}

/** `core/shards` is of `core/` and of `core/shards`, and `ws-extra` is not of `ws`. */
function isOf(part: string, name: string): boolean {
  if (name.endsWith('/') || name.endsWith(':')) return part.startsWith(name);
  return part === name || part.startsWith(`${name}/`);
}

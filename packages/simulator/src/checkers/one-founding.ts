import type { Checker } from '../checker.ts';

/** Nodes that share seeds found at most one cluster: two could never become one again. */
export function oneFounding(): Checker {
  let founded: { readonly clusterId: string; readonly node: string } | undefined;
  return {
    name: 'one-founding',
    kinds: ['published', 'sampled'],
    observe(event) {
      let clusterId: string | undefined;
      if (event.kind === 'published' && event.event.name === 'cluster.founded') {
        clusterId = event.event.clusterId;
      } else if (event.kind === 'sampled') {
        clusterId = event.status.clusterId;
      }
      if (clusterId === undefined || !('at' in event)) return undefined;
      founded ??= { clusterId, node: event.at.node };
      if (founded.clusterId === clusterId) return undefined;
      return `Belongs to cluster ${clusterId}, and ${founded.node} to ${founded.clusterId}.`;
    },
    finish: () => undefined,
  };
}

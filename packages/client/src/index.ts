export { LIMITS } from '@memgrid/protocol';
export type { ClusterId, NodeId } from '@memgrid/protocol';

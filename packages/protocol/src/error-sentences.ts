import type { ErrorCode, ErrorDetails } from './error-codes.ts';
import { shortId } from './ids.ts';

/** What each error says by default: one sentence with its values in it. */
export const ERROR_SENTENCES: {
  readonly [Code in ErrorCode]: (details: ErrorDetails[Code]) => string;
} = {
  UNKNOWN_CODE: ({ wire }) => `The peer answered with error ${wire}, which is not known here.`,
  NOT_COORDINATOR: ({ hint }) =>
    hint === undefined
      ? 'This node is not the coordinator and knows of none.'
      : `This node is not the coordinator; ${shortId(hint)} may be.`,
  QUORUM_UNREACHABLE: ({ acked, needed }) => `${acked} of ${needed} needed nodes answered.`,
  SCHEMA_CONFLICT: ({ stored, offered }) =>
    `Schema version ${offered} was offered, version ${stored} is stored.`,
  NOT_FOUNDED: ({ present, expect }) =>
    `The cluster is not founded: ${present} of ${expect} expected nodes are here.`,
  NO_COORDINATOR: ({ waitedMs }) => `No coordinator was found in ${waitedMs} ms.`,
  TIMEOUT: ({ timeoutMs }) => `No answer came within ${timeoutMs} ms.`,
  OVERLOADED: ({ waiting, max }) => `${waiting} requests are waiting; at most ${max} may.`,
  SHUTTING_DOWN: () => 'The node is shutting down.',
  WRONG_CLUSTER: ({ ours, theirs }) =>
    `The peer is in cluster ${shortId(theirs)}, this node is in cluster ${shortId(ours)}.`,
  PROTOCOL_MISMATCH: ({ oursMin, oursMax, theirsMin, theirsMax }) =>
    `The peer speaks protocol ${theirsMin} to ${theirsMax}, this node ${oursMin} to ${oursMax}.`,
  IDENTITY_IN_USE: ({ nodeId }) => `Another process runs as node ${shortId(nodeId)}.`,
  STALE_DIRECTORY: ({ nodeId, generation, newest }) =>
    `The directory of node ${shortId(nodeId)} is at generation ${generation}, ` +
    `but the cluster has seen ${newest}.`,
  EXPELLED: ({ nodeId }) => `Node ${shortId(nodeId)} was expelled from the cluster.`,
  BAD_MESSAGE: ({ problem }) => `Bad message: ${problem}`,
  BAD_REQUEST: ({ problem }) => `Bad request: ${problem}`,
  BAD_CONFIGURATION: ({ problems }) => `Bad configuration: ${problems.join(' ')}`,
  DIRECTORY_LOCKED: ({ directory, pid }) =>
    pid === undefined
      ? `Another process uses the data directory ${directory}.`
      : `Process ${pid} uses the data directory ${directory}.`,
  DIRECTORY_CORRUPT: ({ directory, problem }) =>
    `The data directory ${directory} cannot be read: ${problem}`,
  ADDRESS_IN_USE: ({ address }) => `Something listens on ${address} already.`,
  MEMBER_NOT_FOUND: ({ member }) => `No member is called ${member}.`,
  FEATURE_PROHIBITED: ({ feature }) =>
    `The cluster uses feature "${feature}", which this binary does not have.`,
  VERSION_CONFLICT: ({ current }) =>
    current === undefined
      ? 'There is no such entry (any more).'
      : `The entry exists in version ${current}; the write asked for another version, or for none.`,
  NOT_PRIMARY: ({ shard, hint }) =>
    hint === undefined
      ? `This node is not the primary of shard ${shard} and knows of none.`
      : `This node is not the primary of shard ${shard}; ${shortId(hint)} may be.`,
  NO_PLACEMENT: () => 'The cluster has no shards yet.',
  SHARD_UNAVAILABLE: ({ shard, problem }) => `Shard ${shard} is not available: ${problem}`,
  OPERATION_EXPIRED: ({ operationId }) =>
    `Operation ${operationId} is older than what the shard remembers.`,
  OPERATION_REUSED: ({ operationId }) =>
    `Operation ${operationId} came before with another request.`,
  ENTRY_TOO_LARGE: ({ bytes, max }) =>
    `The entry takes ${bytes} bytes; at most ${max} are allowed.`,
  INVALID_ENTRY: ({ problems }) => `Invalid entry: ${problems.join(' ')}`,
  BAD_TOKEN: ({ problem }) => `Bad session token: ${problem}`,
  BAD_CURSOR: ({ problem }) => `Bad cursor: ${problem}`,
  SHARD_UNKNOWN: ({ id }) =>
    `The id ${JSON.stringify(id)} does not say in which shard its entry is: give its scope.`,
  SCOPE_CONFLICT: ({ id }) => `The entry ${JSON.stringify(id)} belongs to another scope.`,
  IMMUTABLE_ENTRY: ({ id }) => `The entry ${JSON.stringify(id)} is immutable.`,
  SCHEMA_UNKNOWN: ({ schema, version }) =>
    `There is no schema ${JSON.stringify(schema)} in version ${version}.`,
  STORAGE_FULL: ({ usedBytes, maxBytes }) =>
    `The node holds ${usedBytes} bytes; at most ${maxBytes} are allowed.`,
  ABORTED: () => 'The call was aborted; it may still be carried out.',
  NOT_CONNECTED: ({ waitedMs }) => `No node was reached in ${waitedMs} ms.`,
  CLOSED: () => 'The client is closed.',
  NOT_FOUND: ({ id }) => `There is no entry ${JSON.stringify(id)}.`,
};

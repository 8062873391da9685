import type {
  Answers,
  ElectionMessage,
  MembershipMessage,
  Message,
  Operations,
  ReachabilityMessage,
  ShardReports,
} from '@memgrid/protocol';
import { unreachable } from '../assert.ts';
import type { FeedMessage } from '../control/control-feed-io.ts';
import type { ShardMessage } from '../shards/shards-io.ts';

/** What is about entries, and no business of the control group. */
export type DataPlaneMessage = ShardMessage | Operations | Answers;

/** Which machine a message is for. */
export type Route =
  | { readonly to: 'membership'; readonly message: MembershipMessage }
  | { readonly to: 'reachability'; readonly message: ReachabilityMessage }
  | { readonly to: 'election'; readonly message: ElectionMessage }
  | { readonly to: 'feed'; readonly message: FeedMessage }
  | { readonly to: 'coordinator'; readonly message: ShardReports }
  | { readonly to: 'data'; readonly message: DataPlaneMessage }
  /** Handshakes, foundings and what no machine handles yet: refused inside a cluster. */
  | { readonly to: 'nobody'; readonly message: Message };

/** Every message type has exactly one destination; the compiler sees to it that none is missed. */
export function routeOf(message: Message): Route {
  switch (message.type) {
    case 'ping':
    case 'ack':
    case 'pingReq':
    case 'indirectAck':
    case 'nack':
    case 'gossip':
    case 'pushPullReq':
    case 'pushPullResp':
    case 'refused':
      return { to: 'membership', message };
    case 'rows':
      return { to: 'reachability', message };
    case 'configPull':
    case 'configDelta':
    case 'configSnapshot':
      return { to: 'feed', message };
    case 'preVote':
    case 'preVoteResp':
    case 'vote':
    case 'voteResp':
    case 'append':
    case 'appendResp':
    case 'heartbeat':
    case 'heartbeatResp':
    case 'snapshotChunk':
    case 'snapshotResp':
    case 'readIndex':
    case 'readIndexResp':
    case 'timeoutNow':
    case 'propose':
    case 'proposeResp':
      return { to: 'election', message };
    case 'shardReports':
      return { to: 'coordinator', message };
    case 'operations':
    case 'answers':
    case 'replicate':
    case 'replicateAck':
    case 'promise':
    case 'promiseAck':
    case 'shardNack':
    case 'logPull':
    case 'logSuffix':
    case 'epochPing':
    case 'epochPong':
    case 'keyQuery':
    case 'keyQueryResp':
    case 'relay':
    case 'relayResp':
    case 'offerOrphan':
    case 'orphanTaken':
    case 'streamOpen':
    case 'streamChunk':
    case 'streamAck':
    case 'streamRefused':
      return { to: 'data', message };
    case 'hello':
    case 'helloAck':
    case 'reject':
    case 'bye':
    case 'wrongGeneration':
    case 'discover':
    case 'foundRequest':
    case 'foundResp':
    case 'foundCommit':
    case 'epochNack':
      return { to: 'nobody', message };
    default:
      return unreachable(message);
  }
}

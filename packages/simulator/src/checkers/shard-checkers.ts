import type { NodeEvent, ShardEvent, ShardMessage } from '@memgrid/core';
import type { Message, NodeId } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import { deletedStaysDeleted } from '../shard-world/checkers/deleted-stays-deleted.ts';
import { dotsNameOneWrite } from '../shard-world/checkers/dots-name-one-write.ts';
import { expiryIsKept } from '../shard-world/checkers/expiry-is-kept.ts';
import { logsMatch } from '../shard-world/checkers/logs-match.ts';
import { oneActivationPerEpoch } from '../shard-world/checkers/one-activation-per-epoch.ts';
import { promisesNeverFall } from '../shard-world/checkers/promises-never-fall.ts';
import type { ShardChecker } from '../shard-world/shard-checker.ts';
import type { ShardLife } from '../shard-world/shard-host.ts';
import type { ProcessLabel, WorldEvent } from '../world-event.ts';

/**
 * The properties of shards, looked at in a whole cluster.
 *
 * @param clocksAgree nobody's wall clock is set wrong, so what is later or expired can be judged.
 */
export function shardCheckers(clocksAgree: boolean): readonly Checker[] {
  return [
    promisesNeverFall(),
    oneActivationPerEpoch(),
    logsMatch(),
    dotsNameOneWrite(),
    deletedStaysDeleted(clocksAgree ? CLOCKS_APART_MS : Infinity),
    ...(clocksAgree ? [expiryIsKept(CLOCKS_APART_MS)] : []),
  ].map((checker) => inCluster(checker));
}

/**
 * A checker of the world of shards, fed with the events of a whole cluster. Copies of a directory
 * know nothing of what the original promised afterwards; they are found out by other means.
 */
function inCluster(checker: ShardChecker): Checker {
  const numbers = new Map<NodeId, number>();
  const cloned = new Set<string>();
  const lifeOf = (at: ProcessLabel): ShardLife => {
    const node = numbers.get(at.nodeId) ?? numbers.size;
    numbers.set(at.nodeId, node);
    return { node, nodeId: at.nodeId, generation: at.process as ShardLife['generation'] };
  };
  return {
    name: checker.name,
    kinds: ['sent', 'published', 'called', 'intervened'],
    observe: (event: WorldEvent) => {
      switch (event.kind) {
        case 'intervened':
          if (event.fault?.kind === 'clone') {
            cloned.add(event.fault.node).add(`${event.fault.node}c`);
          }
          return undefined;
        case 'sent': {
          const { message } = event.envelope;
          if (!isShardMessage(message) || cloned.has(event.at.node)) return undefined;
          // Hosts are names here; no checker of shards asks to whom a message goes.
          return checker.sent?.(lifeOf(event.at), event.at.nodeId, message);
        }
        case 'published':
          if (!isShardEvent(event.event)) return undefined;
          return checker.event?.(lifeOf(event.at), event.event);
        case 'called':
          return checker.finished?.(event.call);
        default:
          return undefined;
      }
    },
    finish: () => checker.finish?.(),
  };
}

/** A hybrid clock may run ahead by five seconds (`core/hybrid-clock`, K4), and after restarts. */
const CLOCKS_APART_MS = 7_000;

const SHARD_MESSAGES: ReadonlySet<string> = new Set<ShardMessage['type']>([
  'replicate',
  'replicateAck',
  'promise',
  'promiseAck',
  'shardNack',
  'logPull',
  'logSuffix',
  'epochPing',
  'epochPong',
  'keyQuery',
  'keyQueryResp',
  'relay',
  'relayResp',
  'offerOrphan',
  'orphanTaken',
  'streamOpen',
  'streamChunk',
  'streamAck',
  'streamRefused',
]);

function isShardMessage(message: Message): message is ShardMessage {
  return SHARD_MESSAGES.has(message.type);
}

const SHARD_EVENTS: ReadonlySet<string> = new Set<ShardEvent['name']>([
  'shard.activated',
  'shard.fenced',
  'shard.truncated',
  'shard.streamed',
  'shard.dropped',
  'entry.quarantined',
  'entry.refetched',
  'orphan.merged',
  'orphan.parked',
  'shard.collected',
]);

function isShardEvent(event: NodeEvent): event is NodeEvent & ShardEvent {
  return SHARD_EVENTS.has(event.name);
}

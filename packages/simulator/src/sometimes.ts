import type { NodeEvent } from '@memgrid/core';
import type { FaultKind } from './fault.ts';
import type { FinishedCall } from './shard-world/shard-client.ts';
import type { ProcessLabel, WorldEvent } from './world-event.ts';

/**
 * What must happen now and then if the seeds are any good. A counter that stays at zero over many
 * seeds shows a blind spot of the fault generator, before a bug can hide in it.
 */
export const SOMETIMES = [
  'cluster founded',
  'founding interrupted by a crash',
  'node joined a founded cluster',
  'leader elected',
  'leader elected again',
  'leader lost quorum and went silent',
  'leader saw a higher term',
  'leadership handed over',
  'pre-vote refused',
  'election failed (split or refused vote)',
  'configuration changed',
  'joint configuration entered',
  'voter promoted',
  'voter replaced',
  'learner added',
  'log compacted',
  'snapshot installed',
  'control state caught up from a peer',
  'proposal committed',
  'proposal with unknown outcome',
  'read proved by a majority',
  'member suspected',
  'suspicion refuted',
  'self accused',
  'died of silence',
  'died of refusal',
  'died by gossip',
  'dead member came back',
  'new generation seen',
  'leave seen',
  'push-pull mismatch repaired',
  'indirect probe succeeded',
  'helper said nack',
  'health score raised',
  'reachability lost one way',
  'partition healed',
  'link refused',
  'frame refused: garbage',
  'frame refused: out of order',
  'message for another generation',
  'back-pressure dropped gossip',
  'unsynced batch lost',
  'torn batch discarded',
  'fsync error halted',
  'identity clone detected',
  'stall told to the machine',
  'clock suspect',
  'remote clock ahead',
  'wiped node came back as another',
  'shard activated',
  'shard activated again by another',
  'activation pulled a tail',
  'truncated a tail',
  'epoch nack seen',
  'stream resumed',
  'shard streamed',
  'shard dropped',
  'tombstones collected',
  'entry quarantined',
  'entry refetched',
  'relay used',
  'orphan merged',
  'shard failed over',
  'move planned',
  'move finished',
  'move rolled back',
  'shard stuck',
  'member drained',
  'call hedged',
  'call retried',
  'retry answered from remembered operations',
  'compare refused',
  'entry patched',
  'patch of nothing refused',
  'list went on at a cursor',
  'outcome of a write unknown',
] as const;

export type Sometimes = (typeof SOMETIMES)[number];

export type SometimesCounts = Readonly<Record<Sometimes, number>>;

/** Counts, for one world, what `SOMETIMES` lists. */
export class SometimesCounter {
  readonly #counts = zeroCounts();
  readonly #elected = new Set<number>();
  readonly #firstIds = new Map<string, string>();
  /** Who holds whom for dead: process and member. */
  readonly #dead = new Set<string>();
  /** Who served each shard last. */
  readonly #primaries = new Map<number, string>();
  readonly #streamAcks = new Set<string>();
  #founded = false;
  #split = false;

  get counts(): SometimesCounts {
    return this.#counts;
  }

  readonly observe = (event: WorldEvent): void => {
    switch (event.kind) {
      case 'published':
        this.#published(event.at, event.event);
        break;
      case 'sent':
        this.#sent(event);
        break;
      case 'replied':
        this.#replied(event);
        break;
      case 'ended':
        this.#ended(event);
        break;
      case 'diskLost':
        this.#count('unsynced batch lost');
        if (event.torn) this.#count('torn batch discarded');
        break;
      case 'intervened':
        this.#intervened(event.fault?.kind);
        break;
      case 'started':
        this.#started(event);
        break;
      case 'called':
        this.#called(event.call);
        break;
      case 'sessionEvent':
        if (event.event.name === 'call.hedged') this.#count('call hedged');
        if (event.event.name === 'call.retried') this.#count('call retried');
        break;
      default:
        break;
    }
  };

  #count(what: Sometimes): void {
    this.#counts[what] += 1;
  }

  #published({ node, process }: ProcessLabel, event: NodeEvent): void {
    const simple = BY_EVENT[event.name];
    if (simple !== undefined) this.#count(simple);
    switch (event.name) {
      case 'cluster.founded':
        this.#founded = true;
        break;
      case 'coordinator.elected':
        if (this.#elected.size > 0 && !this.#elected.has(event.term)) {
          this.#count('leader elected again');
        }
        this.#elected.add(event.term);
        break;
      case 'coordinator.steppedDown':
        if (event.reason === 'quorumLost') this.#count('leader lost quorum and went silent');
        if (event.reason === 'higherTerm') this.#count('leader saw a higher term');
        if (event.reason === 'transferred') this.#count('leadership handed over');
        break;
      case 'group.changed':
        if (event.config.votersOutgoing.length > 0) this.#count('joint configuration entered');
        break;
      case 'member.recovered':
      case 'member.restarted':
        if (this.#dead.delete(`${process}.${event.member}`)) this.#count('dead member came back');
        break;
      case 'member.died':
        this.#dead.add(`${process}.${event.member}`);
        if (event.evidence === 'silence') this.#count('died of silence');
        if (event.evidence === 'refused') this.#count('died of refusal');
        if (event.evidence === 'gossip') this.#count('died by gossip');
        break;
      case 'self.healthChanged':
        if (event.score > 0) this.#count('health score raised');
        break;
      case 'frame.refused':
        if (event.reason === 'garbage') this.#count('frame refused: garbage');
        if (event.reason === 'outOfOrder') this.#count('frame refused: out of order');
        if (event.reason === 'wrongGeneration') this.#count('message for another generation');
        break;
      case 'shard.activated':
        this.#activated(node, event);
        break;
      case 'clock.suspect':
        if (event.suspect) this.#count('clock suspect');
        break;
      case 'send.dropped':
        if (event.reason === 'pressure') this.#count('back-pressure dropped gossip');
        break;
      default:
        break;
    }
  }

  #sent(event: Extract<WorldEvent, { kind: 'sent' }>): void {
    const { message } = event.envelope;
    switch (message.type) {
      case 'preVoteResp':
        if (!message.granted) this.#count('pre-vote refused');
        break;
      case 'voteResp':
        if (!message.granted) this.#count('election failed (split or refused vote)');
        break;
      case 'indirectAck':
        this.#count('indirect probe succeeded');
        break;
      case 'nack':
        this.#count('helper said nack');
        break;
      case 'pushPullResp':
        if (message.updates.length > 0) this.#count('push-pull mismatch repaired');
        break;
      case 'wrongGeneration':
        this.#count('message for another generation');
        break;
      case 'shardNack':
        this.#count('epoch nack seen');
        break;
      case 'logSuffix':
        if (message.records.length > 0) this.#count('activation pulled a tail');
        break;
      case 'relay':
        this.#count('relay used');
        break;
      case 'streamAck':
        if (this.#streamAcks.has(streamName(event.at, message))) this.#count('stream resumed');
        this.#streamAcks.add(streamName(event.at, message));
        break;
      default:
        break;
    }
  }

  #called({ end, operation }: FinishedCall): void {
    const isWrite = operation.operationId !== '';
    if (end.kind === 'unknown' && isWrite) this.#count('outcome of a write unknown');
    if (end.kind === 'failed' && end.code === 'VERSION_CONFLICT') this.#count('compare refused');
    const { body } = operation;
    if (body.kind === 'update' && end.kind === 'failed' && end.code === 'NOT_FOUND') {
      this.#count('patch of nothing refused');
    }
    if (end.kind !== 'answered') return;
    const { result } = end.answer;
    if (body.kind === 'update') this.#count('entry patched');
    if (body.kind === 'list' && body.after !== '') this.#count('list went on at a cursor');
    if (result.kind === 'written' && result.repeated) {
      this.#count('retry answered from remembered operations');
    }
  }

  #activated(
    node: string,
    { shard, epoch }: { readonly shard: number; readonly epoch: number },
  ): void {
    const before = this.#primaries.get(shard);
    this.#primaries.set(shard, node);
    this.#count('shard activated');
    if (before !== undefined && before !== node && epoch > 1) {
      this.#count('shard activated again by another');
    }
  }

  #replied(event: Extract<WorldEvent, { kind: 'replied' }>): void {
    const { reply } = event;
    if (reply.kind === 'readable') this.#count('read proved by a majority');
    if (reply.kind !== 'proposed') return;
    if (reply.outcome.kind === 'committed') this.#count('proposal committed');
    if (reply.outcome.kind === 'unknown') this.#count('proposal with unknown outcome');
  }

  #ended(event: Extract<WorldEvent, { kind: 'ended' }>): void {
    const { end } = event;
    if (!this.#founded && end.how !== 'halted') {
      this.#count('founding interrupted by a crash');
    }
    if (end.how !== 'halted') return;
    if (end.code === 'storeFailed') this.#count('fsync error halted');
    if (end.code === 'identityInUse' || end.code === 'staleDirectory') {
      this.#count('identity clone detected');
    }
  }

  #intervened(kind: FaultKind | undefined): void {
    if (kind === 'split' || kind === 'isolate') this.#split = true;
    if (kind === 'stall') this.#count('stall told to the machine');
    if (kind === 'heal' && this.#split) {
      this.#count('partition healed');
      this.#split = false;
    }
  }

  #started(event: Extract<WorldEvent, { kind: 'started' }>): void {
    const { node, nodeId } = event.at;
    const before = this.#firstIds.get(node);
    this.#firstIds.set(node, nodeId);
    if (before !== undefined && before !== nodeId) this.#count('wiped node came back as another');
  }
}

/** Events that stand for one counter each, whatever they carry. */
const BY_EVENT: Readonly<Partial<Record<NodeEvent['name'], Sometimes>>> = {
  'cluster.founded': 'cluster founded',
  'cluster.joined': 'node joined a founded cluster',
  'coordinator.elected': 'leader elected',
  'group.changed': 'configuration changed',
  'voter.promoted': 'voter promoted',
  'voter.replaced': 'voter replaced',
  'learner.added': 'learner added',
  'log.compacted': 'log compacted',
  'snapshot.installed': 'snapshot installed',
  'control.caughtUp': 'control state caught up from a peer',
  'member.suspected': 'member suspected',
  'member.recovered': 'suspicion refuted',
  'self.accused': 'self accused',
  'member.restarted': 'new generation seen',
  'member.left': 'leave seen',
  'reach.lost': 'reachability lost one way',
  'peer.rejected': 'link refused',
  'clock.remoteAhead': 'remote clock ahead',
  'shard.truncated': 'truncated a tail',
  'shard.streamed': 'shard streamed',
  'shard.dropped': 'shard dropped',
  'shard.collected': 'tombstones collected',
  'entry.quarantined': 'entry quarantined',
  'entry.refetched': 'entry refetched',
  'orphan.merged': 'orphan merged',
  'shard.failedOver': 'shard failed over',
  'move.planned': 'move planned',
  'move.finished': 'move finished',
  'move.rolledBack': 'move rolled back',
  'shard.stuck': 'shard stuck',
  'member.drained': 'member drained',
};

export function zeroCounts(): Record<Sometimes, number> {
  return Object.fromEntries(SOMETIMES.map((what) => [what, 0])) as Record<Sometimes, number>;
}

/** Adds the counts of one world to a sum over many. */
export function addCounts(sum: Record<Sometimes, number>, counts: SometimesCounts): void {
  for (const what of SOMETIMES) sum[what] += counts[what];
}

/** An acknowledgement that is sent twice: chunks came again, because something was lost. */
function streamName(
  at: ProcessLabel,
  { stream, chunk }: { readonly stream: number; readonly chunk: number },
): string {
  return `${at.process}/${stream}/${chunk}`;
}

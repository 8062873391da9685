import type { ElectionMessage, GroupConfig, Message } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';
import { isLeaderMessage } from './raft-messages.ts';

/**
 * A leader looks every election timeout (15 ticks of 100 ms) whether a majority answered since
 * its last look, so it may go on for nearly two of them, and then a little for stalls and timers.
 */
const UNHEARD_US_MAX = 2 * 1_500_000 + 1_000_000;

interface Leadership {
  readonly term: number;
  readonly config: GroupConfig;
  readonly sinceUs: number;
  /** When each node last answered in this term. */
  readonly heardUs: Map<string, number>;
  /** When it stepped down; what it said in that very turn, it said before. */
  resignedUs: number;
}

/**
 * Invariant 7: who cannot reach a majority stops speaking as a leader. A leader that went on would
 * keep the nodes it still reaches from electing one that works.
 */
export function silentAfterQuorumLoss(): Checker {
  const leaderships = new Map<number, Leadership>();
  const disturbedUs = new Map<number, number>();

  const learn = (event: Extract<WorldEvent, { kind: 'sampled' }>, nowUs: number): void => {
    const { election } = event.status;
    const known = leaderships.get(event.at.process);
    if (election?.role !== 'leader') return;
    if (known?.term === election.term && sameVoters(known.config, election.config)) return;
    const kept = known?.term === election.term ? known : undefined;
    leaderships.set(event.at.process, {
      term: election.term,
      config: election.config,
      // New voters get their time to answer for the first time.
      sinceUs: nowUs,
      heardUs: kept?.heardUs ?? new Map(),
      resignedUs: Infinity,
    });
  };

  const speaks = (event: Extract<WorldEvent, { kind: 'sent' }>, nowUs: number) => {
    const leadership = leaderships.get(event.at.process);
    const { message } = event.envelope;
    if (leadership === undefined || !isLeaderMessage(message)) return undefined;
    if (message.term !== leadership.term) return undefined;
    if (nowUs > leadership.resignedUs) {
      return `Sends ${message.type} in term ${message.term} after it stepped down.`;
    }
    const sinceUs = Math.max(leadership.sinceUs, disturbedUs.get(event.at.process) ?? 0);
    if (nowUs - sinceUs < UNHEARD_US_MAX) return undefined;
    const fresh = (id: string): boolean => {
      if (id === event.at.nodeId) return true;
      const heard = leadership.heardUs.get(id);
      return heard !== undefined && nowUs - heard < UNHEARD_US_MAX;
    };
    if (hasQuorum(leadership.config, fresh)) return undefined;
    return `Sends ${message.type} in term ${message.term} without having heard a majority lately.`;
  };

  return {
    name: 'silent-after-quorum-loss',
    kinds: ['sampled', 'sent', 'received', 'published', 'paused', 'resumed'],
    observe(event, nowUs) {
      switch (event.kind) {
        case 'sampled':
          learn(event, nowUs);
          return undefined;
        case 'received': {
          const leadership = leaderships.get(event.at.process);
          if (leadership !== undefined && answersIn(event.envelope.message, leadership.term)) {
            leadership.heardUs.set(event.envelope.source, nowUs);
          }
          return undefined;
        }
        case 'published': {
          const leadership = leaderships.get(event.at.process);
          const { event: told } = event;
          if (told.name === 'coordinator.steppedDown' && leadership?.term === told.term) {
            leadership.resignedUs = Math.min(leadership.resignedUs, nowUs);
          }
          if (told.name === 'self.accused' && told.stalledMs > 0) {
            disturbedUs.set(event.at.process, nowUs);
          }
          return undefined;
        }
        case 'resumed':
          disturbedUs.set(event.at.process, nowUs);
          return undefined;
        case 'sent':
          return speaks(event, nowUs);
        default:
          return undefined;
      }
    },
    finish: () => undefined,
  };
}

const ANSWERS: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'appendResp',
  'heartbeatResp',
  'snapshotResp',
  'readIndex',
  'propose',
]);

function answersIn(message: Message, term: number): boolean {
  return ANSWERS.has(message.type) && (message as ElectionMessage).term === term;
}

function hasQuorum(config: GroupConfig, fresh: (id: string) => boolean): boolean {
  const majority = (ids: readonly string[]): boolean =>
    2 * ids.filter((id) => fresh(id)).length > ids.length;
  return (
    majority(config.voters) &&
    (config.votersOutgoing.length === 0 || majority(config.votersOutgoing))
  );
}

function sameVoters(a: GroupConfig, b: GroupConfig): boolean {
  return a.voters.join() === b.voters.join() && a.votersOutgoing.join() === b.votersOutgoing.join();
}

import type {
  ElectionMessage,
  GroupConfig,
  GroupEpoch,
  LogEntry,
  LogIndex,
  LogPayload,
  NodeId,
  Term,
} from '@memgrid/protocol';
import { type ElectionOptions, electionConfig } from '../election/election-config.ts';
import { Election } from '../election/election.ts';
import type {
  ElectionEffect,
  ElectionInput,
  ElectionRecord,
  ElectionStatus,
} from '../election/election-io.ts';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import { idOf } from './raft-group.ts';

/** The node under test, and the others that it believes in. */
export const SELF = idOf(1);
export const B = idOf(2);
export const C = idOf(3);
export const D = idOf(4);

export const EPOCH = 1 as GroupEpoch;

export const THREE: GroupConfig = { voters: [SELF, B, C], votersOutgoing: [], learners: [] };

/** A message without what the stage fills in: its group's epoch. */
export type Said = ElectionMessage extends infer M
  ? M extends ElectionMessage
    ? Omit<M, 'groupEpoch' | 'term'> & { readonly term: number; readonly groupEpoch?: GroupEpoch }
    : never
  : never;

/** A log entry; a blank one unless `payload` says more. */
export function entryOf(
  index: number,
  term: number,
  payload: LogPayload = { kind: 'blank' },
): LogEntry {
  return { index: index as LogIndex, term: term as Term, payload };
}

/** Numbers as the protocol's counters: `{ ...at(1, 1) }` is index 1 of term 1. */
export function last(index: number, term: number): { lastIndex: LogIndex; lastTerm: Term } {
  return { lastIndex: index as LogIndex, lastTerm: term as Term };
}

export interface LoneElectionOptions {
  readonly config?: ElectionOptions;
  readonly group?: GroupConfig;
  readonly term?: number;
  readonly vote?: NodeId;
  /** Terms of the entries behind the snapshot at index 1. */
  readonly log?: readonly number[];
  readonly outsider?: boolean;
}

/** One election machine, with a test in the place of everybody else. */
export class LoneElection {
  readonly machine: Election;
  now = 0;
  /** Everything since the beginning. */
  readonly effects: ElectionEffect[] = [];
  #ticket = 0;

  constructor(options: LoneElectionOptions = {}) {
    const term = (options.term ?? 1) as Term;
    const group = options.group ?? THREE;
    const record: ElectionRecord = {
      groupEpoch: EPOCH,
      term,
      vote: options.vote,
      snapshot: {
        index: 1 as LogIndex,
        term: 1 as Term,
        config: group,
        state: Uint8Array.of(7),
      },
      entries: (options.log ?? []).map((of, index) => entryOf(2 + index, of)),
    };
    this.machine = new Election({
      config: electionConfig(options.config),
      self: SELF,
      record: options.outsider === true ? undefined : record,
      random: Random.of(11),
      now: 0 as Instant,
    });
  }

  get status(): ElectionStatus {
    return this.machine.status();
  }

  give(input: ElectionInput): readonly ElectionEffect[] {
    return this.#note(this.machine.step(this.now as Instant, input));
  }

  hear(from: NodeId, said: Said): readonly ElectionEffect[] {
    const body = { groupEpoch: EPOCH, ...said } as ElectionMessage;
    return this.give({ kind: 'message', from, body });
  }

  /** Everything written so far becomes durable. */
  sync(): readonly ElectionEffect[] {
    return this.give({ kind: 'stored', ticket: this.#ticket });
  }

  /** Lets time pass, waking the machine whenever it wants to be. */
  pass(ms: number): readonly ElectionEffect[] {
    const until = this.now + ms;
    const from = this.effects.length;
    for (let turn = 0; turn < 1_000; turn += 1) {
      const { wakeAt } = this.machine;
      if (wakeAt === undefined || wakeAt > until) break;
      this.now = Math.max(this.now, wakeAt);
      this.#note(this.machine.wake(this.now as Instant));
    }
    this.now = until;
    return this.effects.slice(from);
  }

  /** Waits until the node asks around. */
  preCampaign(): this {
    while (this.status.role !== 'preCandidate') this.pass(100);
    return this;
  }

  campaign(): this {
    this.preCampaign();
    const term = this.status.term + 1;
    this.hear(B, { type: 'preVoteResp', term, granted: true });
    return this;
  }

  /** Wins an election; the first entry of its term is durable here and nowhere else. */
  lead(): this {
    this.campaign();
    this.sync();
    this.hear(B, { type: 'voteResp', term: this.status.term, granted: true });
    this.sync();
    return this;
  }

  /** Leads, and `B` has everything. */
  leadWith(peer: NodeId = B): this {
    this.lead();
    this.accept(peer);
    return this;
  }

  /** `peer` has everything that the leader has. */
  accept(peer: NodeId, index: number = this.status.lastIndex): readonly ElectionEffect[] {
    const hint = { hintIndex: index as LogIndex, hintTerm: 0 as Term };
    const { term } = this.status;
    return this.hear(peer, {
      type: 'appendResp',
      term,
      accepted: true,
      index: index as LogIndex,
      ...hint,
    });
  }

  /** A leader of `term` says so. */
  heartbeat(from: NodeId, term: number, commit = 0): readonly ElectionEffect[] {
    return this.hear(from, { type: 'heartbeat', term, commit: commit as LogIndex, readRound: 0 });
  }

  append(
    from: NodeId,
    what: {
      term: number;
      behind: readonly [number, number];
      entries?: readonly LogEntry[];
      commit?: number;
    },
  ): readonly ElectionEffect[] {
    return this.hear(from, {
      type: 'append',
      term: what.term,
      previousIndex: what.behind[0] as LogIndex,
      previousTerm: what.behind[1] as Term,
      commit: (what.commit ?? 0) as LogIndex,
      entries: what.entries ?? [],
    });
  }

  #note(effects: readonly ElectionEffect[]): readonly ElectionEffect[] {
    for (const effect of effects) if (effect.kind === 'store') this.#ticket = effect.ticket;
    this.effects.push(...effects);
    return effects;
  }
}

/** The messages among `effects`, with whom they are for. */
export function sent(
  effects: readonly ElectionEffect[],
): readonly { readonly to: NodeId; readonly body: ElectionMessage }[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' ? [{ to: effect.to, body: effect.body }] : [],
  );
}

/** What kinds of message are among `effects`. */
export function sentTypes(effects: readonly ElectionEffect[]): readonly string[] {
  return sent(effects).map(({ body }) => body.type);
}

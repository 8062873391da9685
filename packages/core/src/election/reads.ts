import type { LogIndex } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { Requester } from './proposals.ts';
import type { RaftState } from './raft-state.ts';

interface Reader {
  readonly requester: Requester;
  readonly deadline: Instant;
}

interface Round {
  readonly index: LogIndex;
  readonly readers: readonly Reader[];
}

export function answerRead(
  state: RaftState,
  requester: Requester,
  index: LogIndex | undefined,
): void {
  const { request } = requester;
  if (requester.kind === 'local') state.effect({ kind: 'readable', request, index });
  else state.send(requester.from, { type: 'readIndexResp', request, index });
}

/**
 * Linearizable reads at the leader (Raft dissertation, section 6.4): remember the commit index,
 * prove with a round of heartbeats that nobody else leads, answer.
 *
 * One round is under way at a time; whoever asks meanwhile shares the next one.
 */
export class Reads {
  readonly #state: RaftState;
  #waiting: Reader[] = [];
  #round: Round | undefined;
  /** The number of the last round begun; travels in every heartbeat. */
  #number = 0;

  constructor(state: RaftState) {
    this.#state = state;
  }

  get roundNumber(): number {
    return this.#number;
  }

  get count(): number {
    return this.#waiting.length + (this.#round?.readers.length ?? 0);
  }

  get wakeAt(): Instant | undefined {
    return (this.#round?.readers[0] ?? this.#waiting[0])?.deadline;
  }

  add(requester: Requester): void {
    const deadline = after(this.#state.now, this.#state.config.requestTimeoutMs);
    this.#waiting.push({ requester, deadline });
  }

  /** Begins a round for everybody who waits. True: heartbeats must carry its number out. */
  begin(): boolean {
    if (this.#round !== undefined || this.#waiting.length === 0) return false;
    this.#number += 1;
    this.#round = { index: this.#state.commit, readers: this.#waiting };
    this.#waiting = [];
    return true;
  }

  /** A quorum answered heartbeats of round `number`. */
  confirm(number: number): void {
    if (this.#round === undefined || number < this.#number) return;
    const { index, readers } = this.#round;
    this.#round = undefined;
    for (const { requester } of readers) answerRead(this.#state, requester, index);
  }

  wake(): void {
    const due = (reader: Reader): boolean => reader.deadline <= this.#state.now;
    const readers = this.#round?.readers ?? [];
    const late = [...readers.filter(due), ...this.#waiting.filter(due)];
    if (late.length === 0) return;
    for (const { requester } of late) answerRead(this.#state, requester, undefined);
    this.#waiting = this.#waiting.filter((reader) => !due(reader));
    if (this.#round === undefined) return;
    const left = readers.filter((reader) => !due(reader));
    this.#round = left.length === 0 ? undefined : { ...this.#round, readers: left };
  }

  abandon(): void {
    for (const { requester } of [...(this.#round?.readers ?? []), ...this.#waiting]) {
      answerRead(this.#state, requester, undefined);
    }
    this.#round = undefined;
    this.#waiting = [];
  }
}

import type { Append, Heartbeat } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';
import type { WorldEvent } from '../world-event.ts';
import { fingerprint } from './raft-messages.ts';

interface LeaderLog {
  /** Entries this leader sent, by index. */
  readonly entries: Map<number, { readonly term: number; readonly print: number }>;
  /** Up to here its commits are recorded. */
  committed: number;
}

interface CommittedEntry {
  readonly term: number;
  readonly print: number;
  /** The term of the leader that committed it: only later leaders must have it. */
  readonly byTerm: number;
}

/**
 * Invariant 3: what was committed never changes and never vanishes.
 *
 * A leader's appends show its log and its commit index. No leader of a later term may send
 * something else at a committed index, or lead with a log that ends before one.
 */
export function committedEntriesStay(): Checker {
  const groups = new Map<number, CommittedGroup>();
  const groupOf = (epoch: number): CommittedGroup => {
    let group = groups.get(epoch);
    if (group === undefined) groups.set(epoch, (group = new CommittedGroup()));
    return group;
  };
  return {
    name: 'committed-entries-stay',
    kinds: ['sent', 'sampled'],
    observe(event: WorldEvent) {
      if (event.kind === 'sent') {
        const { message } = event.envelope;
        if (message.type === 'append') return groupOf(message.groupEpoch).append(message);
        if (message.type === 'heartbeat') return groupOf(message.groupEpoch).heartbeat(message);
        return undefined;
      }
      if (event.kind !== 'sampled') return undefined;
      const { control, election } = event.status;
      if (control === undefined || election?.role !== 'leader') return undefined;
      return groupOf(control.groupEpoch).leads(election.term, election.lastIndex);
    },
    finish: () => undefined,
  };
}

class CommittedGroup {
  readonly #leaders = new Map<number, LeaderLog>();
  readonly #committed = new Map<number, CommittedEntry>();
  #highest: { readonly index: number; readonly byTerm: number } = { index: 0, byTerm: 0 };

  append(append: Append): string | undefined {
    const log = this.#logOf(append.term);
    const before = this.#conflict(append.term, append.previousIndex, append.previousTerm);
    if (before !== undefined) return before;
    for (const { index, term, payload } of append.entries) {
      const print = fingerprint(payload);
      const problem = this.#conflict(append.term, index, term, print);
      if (problem !== undefined) return problem;
      log.entries.set(index, { term, print });
    }
    return this.#commit(append.term, log, append.commit);
  }

  /** A heartbeat's commit is capped by what its receiver has, so it is never ahead of the leader's. */
  heartbeat(heartbeat: Heartbeat): string | undefined {
    return this.#commit(heartbeat.term, this.#logOf(heartbeat.term), heartbeat.commit);
  }

  leads(term: number, lastIndex: number): string | undefined {
    if (term <= this.#highest.byTerm || lastIndex >= this.#highest.index) return undefined;
    return (
      `The leader of term ${term} has entries up to ${lastIndex}, but ${this.#highest.index} was ` +
      `committed in term ${this.#highest.byTerm}.`
    );
  }

  #logOf(term: number): LeaderLog {
    let log = this.#leaders.get(term);
    if (log === undefined) this.#leaders.set(term, (log = { entries: new Map(), committed: 0 }));
    return log;
  }

  #commit(byTerm: number, log: LeaderLog, upTo: number): string | undefined {
    for (let index = log.committed + 1; index <= upTo; index += 1) {
      const entry = log.entries.get(index);
      if (entry === undefined) continue;
      const known = this.#committed.get(index);
      if (known === undefined) this.#committed.set(index, { ...entry, byTerm });
      else if (known.term !== entry.term || known.print !== entry.print) {
        return (
          `Index ${index} was committed twice: as an entry of term ${known.term} in term ` +
          `${known.byTerm}, and as one of term ${entry.term} in term ${byTerm}.`
        );
      }
    }
    log.committed = Math.max(log.committed, upTo);
    if (upTo > this.#highest.index) this.#highest = { index: upTo, byTerm };
    return undefined;
  }

  #conflict(byTerm: number, index: number, term: number, print?: number): string | undefined {
    const known = this.#committed.get(index);
    if (known === undefined || known.byTerm >= byTerm) return undefined;
    if (known.term === term && (print === undefined || known.print === print)) return undefined;
    return (
      `The leader of term ${byTerm} has an entry of term ${term} at index ${index}, where an entry ` +
      `of term ${known.term} was committed in term ${known.byTerm}.`
    );
  }
}

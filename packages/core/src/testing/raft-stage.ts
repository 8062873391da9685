import type {
  ElectionMessage,
  GroupConfig,
  GroupEpoch,
  LogEntry,
  LogIndex,
  NodeId,
} from '@memgrid/protocol';
import { electionConfig } from '../election/election-config.ts';
import { Election } from '../election/election.ts';
import type { ElectionEffect, ElectionInput } from '../election/election-io.ts';
import { initialRecord } from '../election/recover.ts';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import { idOf } from './raft-group.ts';
import type { TranscriptCommand } from './transcript.ts';

interface Letter {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly body: ElectionMessage;
}

/** What sets the scene, and so has no answer. */
const SILENT: readonly string[] = ['group', 'time', 'cut', 'drop'];

/** A group in which nothing happens by itself: whoever directs says what arrives, and when. */
export class RaftStage {
  #machines = new Map<NodeId, Election>();
  #letters: Letter[] = [];
  #tickets = new Map<NodeId, number>();
  #synced = new Map<NodeId, number>();
  #cuts = new Set<string>();
  #now = 0;
  #nextRequest = 1;
  #told: string[] = [];

  /** Carries one line of a transcript out, and says what followed. */
  perform(command: TranscriptCommand): readonly string[] {
    this.#told = [];
    this.#do(command);
    if (this.#told.length > 0 || SILENT.includes(command.verb)) return this.#told;
    return ['(nothing)'];
  }

  #do({ verb, words, options, line }: TranscriptCommand): void {
    const [first = '', second = ''] = words;
    switch (verb) {
      case 'group':
        return this.#found(Number(options['voters']), Number(options['outsiders'] ?? 0));
      case 'time':
        this.#now += Number(first);
        return;
      case 'wake':
        return this.#wake(node(first));
      case 'deliver':
        return this.#deliver(first === 'all' ? undefined : first);
      case 'drop':
        this.#letters = this.#letters.filter((it) => !matches(it, first));
        return;
      case 'sync':
        return this.#sync(node(first));
      case 'settle':
        return this.#settle();
      case 'cut':
        this.#cuts.add(first);
        return;
      case 'propose': {
        const command = Uint8Array.from([...second].map((letter) => letter.charCodeAt(0)));
        return this.#ask(first, { kind: 'propose', request: this.#nextRequest++, command });
      }
      case 'read':
        return this.#ask(first, { kind: 'readIndex', request: this.#nextRequest++ });
      case 'transfer': {
        const to = options['to'] === undefined ? undefined : node(options['to']);
        return this.#ask(first, { kind: 'transfer', request: this.#nextRequest++, to });
      }
      case 'reconfigure': {
        const voters = nodes(options['voters']);
        const learners = nodes(options['learners']);
        const request = this.#nextRequest++;
        return this.#ask(first, { kind: 'reconfigure', request, voters, learners });
      }
      case 'compact': {
        const { commit } = this.#machine(node(first)).status();
        const state = Uint8Array.of(1, 2, 3);
        return this.#ask(first, { kind: 'compact', index: commit, state });
      }
      case 'died':
        return this.#ask(first, { kind: 'peerDied', peer: node(second) });
      case 'stalled':
        return this.#ask(first, { kind: 'stalled', stalledMs: Number(second) });
      case 'retire':
        return this.#ask(first, { kind: 'retire' });
      case 'status':
        for (const id of first === '' ? [...this.#machines.keys()] : [node(first)])
          this.#status(id);
        return;
      default:
        throw new Error(`Nobody knows how to "${line}".`);
    }
  }

  #found(voterCount: number, outsiderCount: number): void {
    const ids = Array.from({ length: voterCount + outsiderCount }, (_, at) => idOf(at + 1));
    const voters = ids.slice(0, voterCount);
    const config: GroupConfig = { voters, votersOutgoing: [], learners: [] };
    const state = Uint8Array.of(0);
    const record = initialRecord({ groupEpoch: 1 as GroupEpoch, config, state });
    const now = this.#now as Instant;
    for (const id of ids) {
      const machine = new Election({
        config: electionConfig({ trailingEntries: 0, snapshotChunkBytes: 2 }),
        self: id,
        record: voters.includes(id) ? record : undefined,
        random: Random.of(7).split(id),
        now,
      });
      this.#machines.set(id, machine);
    }
  }

  #machine(id: NodeId): Election {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new Error(`There is no node ${name(id)}.`);
    return machine;
  }

  #ask(id: string, input: ElectionInput): void {
    this.#step(node(id), input);
  }

  #step(id: NodeId, input: ElectionInput): void {
    this.#take(id, this.#machine(id).step(this.#now as Instant, input));
  }

  /** Time passes until the node wants to be woken. */
  #wake(id: NodeId): void {
    const machine = this.#machine(id);
    const { wakeAt } = machine;
    if (wakeAt === undefined) return;
    this.#now = Math.max(this.#now, wakeAt);
    this.#take(id, machine.wake(this.#now as Instant));
  }

  /** What is under way now, oldest first; answers to it stay under way. */
  #deliver(which: string | undefined): void {
    const due = this.#letters.filter((it) => which === undefined || matches(it, which));
    this.#letters = this.#letters.filter((it) => !due.includes(it));
    for (const { from, to, body } of due) this.#step(to, { kind: 'message', from, body });
  }

  #sync(id: NodeId): void {
    const ticket = this.#tickets.get(id) ?? 0;
    if (ticket === (this.#synced.get(id) ?? 0)) return;
    this.#synced.set(id, ticket);
    this.#told.push(`${name(id)} has synced write ${ticket}`);
    this.#step(id, { kind: 'stored', ticket });
  }

  /** Everything arrives and everything is synced until nothing moves any more. */
  #settle(): void {
    for (let round = 0; round < 100; round += 1) {
      const moved = this.#letters.length;
      this.#deliver(undefined);
      const before = this.#told.length;
      for (const id of this.#machines.keys()) this.#sync(id);
      if (moved === 0 && this.#told.length === before) return;
    }
    throw new Error('The group does not come to rest.');
  }

  #take(id: NodeId, effects: readonly ElectionEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'store') this.#tickets.set(id, effect.ticket);
      if (effect.kind === 'send') this.#send({ from: id, to: effect.to, body: effect.body });
      else this.#told.push(`${name(id)} ${describe(effect)}`);
    }
  }

  #send(letter: Letter): void {
    const route = `${name(letter.from)}->${name(letter.to)}`;
    const lost = this.#cuts.has(route) || !this.#machines.has(letter.to);
    this.#told.push(`${route} ${sentence(letter.body)}${lost ? ' (lost)' : ''}`);
    if (!lost) this.#letters.push(letter);
  }

  #status(id: NodeId): void {
    const { role, term, leader, commit, lastIndex, config } = this.#machine(id).status();
    const of = leader === undefined ? 'nobody leads' : `${name(leader)} leads`;
    this.#told.push(
      `${name(id)} ${role} in term ${term}, ${of}, log ${lastIndex}, commit ${commit}, ${group(config)}`,
    );
  }
}

function name(id: NodeId): string {
  return String(Number.parseInt(id, 16));
}

function node(text: string): NodeId {
  return idOf(Number(text));
}

function nodes(text: string | undefined): readonly NodeId[] {
  return text === undefined || text === '' ? [] : text.split(',').map(node);
}

function matches({ from, to }: Letter, route: string): boolean {
  return `${name(from)}->${name(to)}` === route;
}

function group({ voters, votersOutgoing, learners }: GroupConfig): string {
  const parts = [`voters ${voters.map(name).join(',')}`];
  if (votersOutgoing.length > 0) parts.push(`outgoing ${votersOutgoing.map(name).join(',')}`);
  if (learners.length > 0) parts.push(`learners ${learners.map(name).join(',')}`);
  return parts.join(' ');
}

function entry({ index, term, payload }: LogEntry): string {
  const at = `${index}@${term}`;
  if (payload.kind === 'blank') return `${at} blank`;
  if (payload.kind === 'config') return `${at} ${group(payload.config)}`;
  return `${at} "${String.fromCharCode(...payload.command)}"`;
}

function entries(list: readonly LogEntry[]): string {
  return list.length === 0 ? 'nothing' : `[${list.map(entry).join(', ')}]`;
}

function sentence(body: ElectionMessage): string {
  const head = `${body.type} term=${body.term}`;
  switch (body.type) {
    case 'preVote':
      return `${head} last=${body.lastIndex}@${body.lastTerm}`;
    case 'vote':
      return `${head} last=${body.lastIndex}@${body.lastTerm}${body.transfer ? ' transfer' : ''}`;
    case 'preVoteResp':
    case 'voteResp':
      return `${head} ${body.granted ? 'granted' : 'refused'}`;
    case 'append': {
      const { previousIndex, previousTerm, commit } = body;
      const behind = `behind=${previousIndex}@${previousTerm} commit=${commit}`;
      return `${head} ${behind} ${entries(body.entries)}`;
    }
    case 'appendResp':
      return body.accepted
        ? `${head} accepted=${body.index}`
        : `${head} refused=${body.index} hint=${body.hintIndex}@${body.hintTerm}`;
    case 'heartbeat':
      return `${head} commit=${body.commit} round=${body.readRound}`;
    case 'heartbeatResp':
      return `${head} round=${body.readRound}`;
    case 'snapshotChunk': {
      const end = body.offset + body.bytes.length;
      return `${head} to=${body.lastIndex}@${body.lastTerm} bytes=${body.offset}-${end}/${body.totalBytes}`;
    }
    case 'snapshotResp':
      return `${head} to=${body.lastIndex} ${body.installed ? 'installed' : `next=${body.nextOffset}`}`;
    case 'readIndexResp':
      return `${head} index=${body.index ?? 'none'}`;
    case 'proposeResp':
      return `${head} ${body.outcome.kind}`;
    case 'propose':
    case 'readIndex':
    case 'timeoutNow':
      return head;
  }
}

function describe(effect: Exclude<ElectionEffect, { readonly kind: 'send' }>): string {
  switch (effect.kind) {
    case 'store': {
      const keys = effect.operations.map(({ kind, key }) =>
        kind === 'put' ? shortKey(key) : `-${shortKey(key)}`,
      );
      return `writes ${effect.ticket}: ${keys.join(' ')}`;
    }
    case 'committed':
      return `commits ${entries(effect.entries)}`;
    case 'restored':
      return `restores the state at ${effect.snapshot.index}`;
    case 'proposed': {
      const { outcome } = effect;
      const at = outcome.kind === 'committed' ? ` at ${outcome.index}` : '';
      return `answers ${effect.request}: ${outcome.kind}${at}`;
    }
    case 'readable':
      return `answers ${effect.request}: ${effect.index === undefined ? 'not readable' : `readable at ${effect.index}`}`;
    case 'transferred': {
      const to = effect.to === undefined ? '' : ` ${name(effect.to)}`;
      return `answers ${effect.request}: ${effect.problem ?? 'handed to'}${to}`;
    }
    case 'event': {
      const { event } = effect;
      const rest = Object.entries(event).flatMap(([key, value]: [string, unknown]) => {
        if (key === 'name') return [];
        if (key === 'config') return [group(value as GroupConfig)];
        const text =
          typeof value === 'string' && value.length === 32 ? name(value as NodeId) : value;
        return [`${key}=${String(text)}`];
      });
      return `· ${event.name} ${rest.join(' ')}`;
    }
  }
}

function shortKey(key: string): string {
  const last = key.slice(key.lastIndexOf('/') + 1);
  return /^[0-9a-f]{16}$/.test(last) ? `log/${Number.parseInt(last, 16) as LogIndex}` : last;
}

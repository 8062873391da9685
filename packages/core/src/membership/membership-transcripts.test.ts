import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Generation, Liveness, MembershipMessage, MemberUpdate } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import {
  at,
  idOf,
  keyOf,
  letterOf,
  MembershipFixture,
  updateOf,
} from '../testing/membership-fixture.ts';
import { playTranscript } from '../testing/transcript.ts';
import type { TranscriptCommand } from '../testing/transcript.ts';
import type { MembershipEffect } from './membership-io.ts';
import { Suspicion } from './suspicion.ts';
import { LAN } from './membership-config.ts';

const digest = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

test('M3, M5, M6: a probe that fails', () => expectTranscript('probe'));
test('M4: the accusers of a suspicion', () => expectTranscript('suspicion'));
test('M7, M12: an accusation is refuted, or passed on', () => expectTranscript('refutation'));
test('M10, M11: two tables are compared', () => expectTranscript('push-pull'));
test('M14: refused connections', () => expectTranscript('refused'));
test('M15: a member restarts', () => expectTranscript('restart'));
test('M16: a goodbye, genuine and forged', () => expectTranscript('leave'));
test('M17: this process paused', () => expectTranscript('stall'));

/** The file says what the machine said when somebody last agreed; `vitest -u` rewrites it. */
async function expectTranscript(name: string): Promise<void> {
  const path = new URL(`../../testdata/membership/${name}.txt`, import.meta.url).pathname;
  const played = playTranscript(readFileSync(path, 'utf8'), new Player().perform);
  await expect(played).toMatchFileSnapshot(path);
}

/** Carries out the commands of one transcript. */
class Player {
  #fixture = new MembershipFixture(digest);
  #suspicion: Suspicion | undefined;

  readonly perform = (command: TranscriptCommand): readonly string[] => {
    const { words, options } = command;
    const fixture = this.#fixture;
    switch (command.verb) {
      case 'meet':
        fixture.meet(words.join(''));
        return this.#show();
      case 'show':
        return this.#show();
      case 'run':
        return told(fixture.runTo(Number(options['to'])));
      case 'say':
        return told(
          fixture.say(options['from'] ?? '', messageOf(words, options), this.#life(options)),
        );
      case 'suspicion':
        return this.#suspect(command);
      case 'confirm':
        return [
          `counts ${String(this.#suspicion?.confirm(idOf(words[0] ?? '')))}`,
          ...this.#deadline(),
        ];
      default:
        return told(fixture.machine.step(fixture.now, this.#inputOf(command)));
    }
  };

  #inputOf({
    verb,
    words,
    options,
    line,
  }: TranscriptCommand): Parameters<MembershipFixture['machine']['step']>[1] {
    const peer = idOf(words[0] ?? '');
    const generation = this.#life(options) as Generation;
    switch (verb) {
      case 'linkUp':
        return { kind: verb, peer, generation, address: `${words[0]}:7000` };
      case 'linkDown':
        return { kind: verb, peer, generation };
      case 'newGeneration':
        return { kind: verb, peer, generation };
      case 'dialRefused':
        return { kind: verb, peer };
      case 'stalled':
        return { kind: verb, stalledMs: Number(words[0]) };
      case 'leave':
        return { kind: verb };
      default:
        throw new Error(`Unknown command "${line}".`);
    }
  }

  #life(options: TranscriptCommand['options']): number {
    return Number(options['generation'] ?? 1);
  }

  #suspect({ options }: TranscriptCommand): readonly string[] {
    this.#suspicion = new Suspicion({
      config: LAN,
      memberCount: Number(options['members']),
      startedAt: at(0),
      accuser: idOf(options['by'] ?? 'b'),
    });
    return this.#deadline();
  }

  #deadline(): readonly string[] {
    return [`deadline ${Math.round(this.#suspicion?.deadline ?? 0)}`];
  }

  #show(): readonly string[] {
    const { machine, now } = this.#fixture;
    const members = machine
      .views()
      .map(
        ({ nodeId, generation, incarnation, liveness }) =>
          `${letterOf(nodeId)} ${liveness}@${generation}.${incarnation}`,
      );
    return [`at ${Math.round(now)}: ${members.join(', ')}`];
  }
}

/** `gossip suspect:c@1.2:d` says by d that c is suspect in generation 1, incarnation 2. */
function messageOf(
  words: readonly string[],
  options: TranscriptCommand['options'],
): MembershipMessage {
  const [type, ...rest] = words;
  const updates = rest.filter((word) => word.includes('@')).map(updateFrom);
  const probe = Number(options['probe'] ?? 0);
  const target = idOf(options['target'] ?? 'c');
  switch (type) {
    case 'ping':
      return { type, probe, updates };
    case 'ack':
      return { type, probe, stalledMs: Number(options['stalledMs'] ?? 0), updates };
    case 'pingReq':
      return { type, probe, target, targetAddress: `${options['target']}:7000`, updates };
    case 'indirectAck':
      return { type, probe, target, updates };
    case 'nack':
      return { type, probe, target };
    case 'gossip':
      return { type, updates };
    case 'refused':
      return { type, target, generation: Number(options['of'] ?? 1) as Generation };
    case 'pushPullReq':
      return { type, exchange: 1, digest: { count: 0, hashHigh: 0, hashLow: 0 } };
    case 'pushPullResp': {
      const wanted = options['wanted'] === 'true';
      const exchange = Number(options['exchange']);
      return { type, exchange, digest: { count: 0, hashHigh: 0, hashLow: 0 }, wanted, updates };
    }
    default:
      throw new Error(`Unknown message "${type}".`);
  }
}

function updateFrom(word: string): MemberUpdate {
  const [liveness = '', rest = '', by] = word.split(':');
  const [of = '', numbers = ''] = rest.split('@');
  const [generation, incarnation] = numbers.split('.').map(Number);
  const base = new MembershipFixture(digest).updateOf({ of });
  return {
    ...updateOf({ of, generation: generation ?? 1, incarnation: incarnation ?? 1 }),
    liveness: liveness as Liveness,
    by: idOf(by?.slice(0, 1) ?? of),
    // A trailing question mark: the speaker does not know the member's metadata.
    meta: word.endsWith('?') ? undefined : base.meta,
    leaveKey: liveness !== 'left' ? undefined : keyOf(word.endsWith('!') ? 'f' : of),
  };
}

function told(effects: readonly MembershipEffect[]): readonly string[] {
  return effects.length === 0 ? ['nothing'] : effects.map(lineOf);
}

function lineOf(effect: MembershipEffect): string {
  switch (effect.kind) {
    case 'send':
      return `send ${letterOf(effect.to)} ${bodyOf(effect.body)}`;
    case 'contact':
      return `contact ${letterOf(effect.peer)} at ${effect.address}`;
    case 'direct':
      return `direct ${letterOf(effect.peer)} ${effect.reached ? 'reached' : 'not reached'}`;
    case 'event': {
      const { name, ...details } = effect.event;
      const pairs = Object.entries(details).map(
        ([key, value]) =>
          `${key}=${/^(.)\1{31}$/.test(String(value)) ? String(value).slice(0, 1) : value}`,
      );
      return `event ${name} ${pairs.join(' ')}`;
    }
  }
}

function bodyOf(body: MembershipMessage): string {
  const words: string[] = [body.type];
  if ('probe' in body) words.push(`probe=${body.probe}`);
  if ('exchange' in body) words.push(`exchange=${body.exchange}`);
  if ('target' in body) words.push(`target=${letterOf(body.target)}`);
  if ('stalledMs' in body && body.stalledMs > 0) words.push(`stalledMs=${body.stalledMs}`);
  if ('wanted' in body && body.wanted) words.push('wanted');
  if ('updates' in body) {
    for (const { liveness, nodeId, generation, incarnation, by } of body.updates) {
      words.push(`${liveness}:${letterOf(nodeId)}@${generation}.${incarnation}:${letterOf(by)}`);
    }
  }
  return words.join(' ');
}

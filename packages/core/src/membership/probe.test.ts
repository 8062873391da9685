import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { at, idOf, letterOf, updateOf } from '../testing/membership-fixture.ts';
import { Courier } from './courier.ts';
import { Dissemination } from './dissemination.ts';
import { EffectBuffer } from './effect-buffer.ts';
import { FlapDamping } from './flap-damping.ts';
import { LAN } from './membership-config.ts';
import { MemberTable } from './member-table.ts';
import { Probe } from './probe.ts';
import { ProbeList } from './probe-list.ts';
import { SelfAwareness } from './self-awareness.ts';

const STATES = ['idle', 'resting', 'asking', 'helped', 'helpedAndReached'] as const;
const INPUTS = ['ack', 'foreignAck', 'indirectAck', 'nack', 'void', 'timeout', 'interval'] as const;
type State = (typeof STATES)[number];
type Input = (typeof INPUTS)[number];

/** Everything that one input brings about, in short words; '' is nothing. */
const EXPECTED: Record<State, Record<Input, string>> = {
  idle: {
    ...{ ack: '', foreignAck: '', indirectAck: '', nack: '', void: '', timeout: '', interval: '' },
  },
  resting: {
    ...{ ack: '', foreignAck: '', indirectAck: '', nack: '', void: '', timeout: '' },
    interval: 'ping',
  },
  asking: {
    ...{ ack: 'reached -1', foreignAck: '', indirectAck: '', nack: '', void: '' },
    timeout: 'pingReq pingReq ping',
    // The wake-up came so late that the helpers are asked only now: their time begins now.
    interval: 'pingReq pingReq ping',
  },
  helped: {
    ...{ ack: 'reached -1', foreignAck: '', indirectAck: '', nack: '', void: '', timeout: '' },
    interval: 'missed +2 accused ping',
  },
  helpedAndReached: {
    ...{ ack: 'reached -1', foreignAck: '', indirectAck: '', nack: '', void: '', timeout: '' },
    interval: 'missed -1 ping',
  },
};

test.each(STATES.flatMap((state) => INPUTS.map((input) => ({ state, input }))))(
  'M3, M5, M17: a probe that is $state decides on $input',
  ({ state, input }) => {
    const bench = new ProbeBench(state === 'idle' ? '' : 'bcd');
    bench.bringTo(state);
    bench.apply(input);
    expect(bench.told.join(' ')).toBe(EXPECTED[state][input]);
  },
);

test('M17: a void probe asks the same member again at the next interval', () => {
  const bench = new ProbeBench('bcd');
  bench.bringTo('asking');
  const first = bench.target;
  bench.apply('void');
  bench.now = 1000;
  bench.probe.wake(at(1000));
  bench.drain();
  expect(bench.target).toBe(first);
});

test('M5: helpers that all said no leave the prober above doubt', () => {
  const bench = new ProbeBench('bcd');
  bench.bringTo('helped');
  for (const helper of bench.helpers) bench.probe.refused(idOf(helper), bench.number);
  bench.apply('interval');
  expect(bench.told.join(' ')).toBe('missed +0 accused ping');
});

/** One probe among recorders. The first ping leaves at 0. */
class ProbeBench {
  readonly told: string[] = [];
  readonly probe: Probe;
  readonly helpers: string[] = [];
  target = '';
  number = 0;
  now = 0;
  readonly #effects = new EffectBuffer();

  constructor(letters: string) {
    const table = new MemberTable(updateOf({ of: 'a' }), at(-2000));
    for (const of of letters) table.add(updateOf({ of }), at(-2000));
    const random = Random.of(1);
    const dissemination = new Dissemination(LAN, at(0));
    this.probe = new Probe({
      config: LAN,
      random,
      table,
      list: new ProbeList(table, random),
      courier: new Courier(dissemination, LAN.gossipBytesMax),
      effects: this.#effects,
      awareness: new SelfAwareness(LAN.healthScoreMax),
      flaps: new FlapDamping(LAN),
      nextNumber: () => (this.number += 1),
      adjustHealth: (delta) => this.told.push(delta < 0 ? `${delta}` : `+${delta}`),
      accuse: () => this.told.push('accused'),
    });
    this.probe.arm(at(-1000));
  }

  bringTo(state: State): void {
    if (state === 'idle') return;
    if (state !== 'resting') this.#wake(0);
    if (state === 'helped' || state === 'helpedAndReached') this.#wake(400);
    if (state === 'helpedAndReached') {
      this.probe.acknowledgedIndirectly(
        idOf(this.helpers[0] ?? ''),
        this.number,
        idOf(this.target),
      );
    }
    this.told.length = 0;
  }

  apply(input: Input): void {
    const { probe, number } = this;
    const target = idOf(this.target || 'b');
    const helper = idOf(this.helpers[0] ?? 'c');
    if (input === 'ack') probe.acknowledged(target, number);
    if (input === 'foreignAck') {
      probe.acknowledged(target, number + 1);
      probe.acknowledged(idOf('f'), number);
    }
    if (input === 'indirectAck') probe.acknowledgedIndirectly(helper, number, target);
    if (input === 'nack') probe.refused(helper, number);
    if (input === 'void') probe.void(at(this.now));
    // While resting the timeout of a probe that has not begun means nothing.
    if (input === 'timeout') this.#wake(this.number === 0 ? -2000 : 400);
    else if (input === 'interval') this.#wake(1000);
    else this.drain();
  }

  drain(): void {
    for (const effect of this.#effects.drain()) {
      if (effect.kind === 'direct') this.told.push(effect.reached ? 'reached' : 'missed');
      if (effect.kind !== 'send') continue;
      this.told.push(effect.body.type);
      if (effect.body.type === 'pingReq') this.helpers.push(letterOf(effect.to));
      else this.target = letterOf(effect.to);
    }
    // Effects leave at the end of a step; the words are in the order of a reader's interest.
    const rank = ['reached', 'missed', '-1', '+0', '+1', '+2', 'accused', 'pingReq', 'ping'];
    this.told.sort((a, b) => rank.indexOf(a) - rank.indexOf(b));
  }

  #wake(ms: number): void {
    this.now = ms;
    this.probe.wake(at(ms));
    this.drain();
  }
}

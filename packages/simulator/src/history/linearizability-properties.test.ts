import { Random } from '@memgrid/core';
import { expect, test } from 'vitest';
import type { HistoryEvent, HistoryValue } from './history-event.ts';
import { checkRegisters } from './linearizability.ts';
import { registerOperations } from './register-operation.ts';
import type { RegisterOperation } from './register-operation.ts';

type Asked = Pick<HistoryEvent, 'f' | 'key'> & { readonly value?: HistoryValue };

interface Deed {
  readonly f: 'read' | 'write' | 'delete';
  readonly value?: HistoryValue;
  /** Whether the register does what it acknowledges. */
  readonly happens: boolean;
  readonly answer?: HistoryValue;
}

/** A register that is linearizable because it is one variable, and clients that come and go. */
class SimulatedRegisters {
  readonly events: HistoryEvent[] = [];
  readonly #random: Random;
  readonly #held = new Map<string, HistoryValue>();
  /** Began and did not end: [what, whether it took effect, the answer]. */
  readonly #open = new Map<number, { asked: Asked; done?: 'ok' | 'fail'; answer: HistoryValue }>();
  /** Given up by their clients, and still on their way. */
  readonly #late: Asked[] = [];
  readonly #clients: number[];
  #nextProcess: number;
  #nextValue = 0;

  constructor(random: Random, clients: number) {
    this.#random = random;
    this.#clients = Array.from({ length: clients }, (_, at) => at);
    this.#nextProcess = clients;
  }

  /** One client begins, takes effect, ends or gives up; perhaps something late arrives. */
  step(keys: number, unknowns: number): void {
    const slot = this.#random.below(this.#clients.length);
    const process = this.#clients[slot] ?? 0;
    const open = this.#open.get(process);
    if (open === undefined) {
      this.#begin(process, this.#ask(`k${this.#random.below(keys)}`));
    } else if (this.#random.chance(unknowns)) {
      if (open.done === undefined) this.#late.push(open.asked);
      this.#end(process, 'info');
      this.#clients[slot] = this.#nextProcess;
      this.#nextProcess += 1;
    } else if (open.done === undefined) {
      Object.assign(open, this.#apply(open.asked));
    } else {
      this.#end(process, open.done, open.answer);
    }
    if (this.#random.chance(0.05)) {
      const late = this.#late.splice(this.#random.below(this.#late.length + 1), 1)[0];
      if (late !== undefined && this.#random.chance(0.5)) this.#apply(late);
    }
  }

  /** Does these one after the other, true or pretended, while the others go on. */
  tamper(key: string, deeds: readonly Deed[]): void {
    const process = this.#nextProcess;
    this.#nextProcess += 1;
    for (const { f, value = null, happens, answer } of deeds) {
      const asked = f === 'write' ? { f, key, value } : { f, key };
      this.#begin(process, asked);
      if (happens) this.#apply(asked);
      for (let at = 0; at < 4; at += 1) this.step(2, 0);
      this.#end(process, 'ok', answer);
    }
  }

  #ask(key: string): Asked {
    this.#nextValue += 1;
    switch (this.#random.below(6)) {
      case 0:
      case 1:
        return { f: 'write', key, value: this.#nextValue };
      case 2:
        return { f: 'cas', key, value: [this.#held.get(key) ?? null, this.#nextValue] };
      case 3:
        return this.#random.chance(0.5) ? { f: 'delete', key } : { f: 'read', key };
      default:
        return { f: 'read', key };
    }
  }

  #apply({ f, key = '', value = null }: Asked): { done: 'ok' | 'fail'; answer: HistoryValue } {
    const held = this.#held.get(key) ?? null;
    if (f === 'write') this.#held.set(key, value);
    if (f === 'delete') this.#held.delete(key);
    if (f === 'cas') {
      const [expected = null, next = null] = value as readonly HistoryValue[];
      if (expected !== held) return { done: 'fail', answer: null };
      this.#held.set(key, next);
    }
    return { done: 'ok', answer: held };
  }

  #begin(process: number, asked: Asked): void {
    const index = this.events.length;
    this.#open.set(process, { asked, answer: null });
    this.events.push({ index, process, type: 'invoke', time: index, ...asked });
  }

  #end(process: number, type: 'ok' | 'fail' | 'info', answer: HistoryValue = null): void {
    const index = this.events.length;
    const { f, key = '' } = this.#open.get(process)?.asked ?? { f: '' };
    const value = f === 'read' && type === 'ok' ? { value: answer } : {};
    this.#open.delete(process);
    this.events.push({ index, process, type, time: index, f, key, ...value });
  }
}

/** Tries every order of every choice of unknown outcomes. Slow, and too simple to be wrong. */
function someOrderExplains(operations: readonly RegisterOperation[]): boolean {
  const tryAll = (order: readonly RegisterOperation[]): boolean => {
    if (explains(order) && operations.every((one) => one.to === Infinity || order.includes(one))) {
      return true;
    }
    return operations.some((one) => !order.includes(one) && tryAll([...order, one]));
  };
  return tryAll([]);
}

function explains(order: readonly RegisterOperation[]): boolean {
  let state = 'null';
  return order.every((operation, at) => {
    if (order.slice(0, at).some((earlier) => operation.to < earlier.from)) return false;
    if (operation.sees !== undefined && operation.sees !== state) return false;
    if (operation.patch !== undefined) {
      if (state === 'null') return false;
      const { a, b } = { ...(JSON.parse(state) as Fields), ...operation.patch };
      state = JSON.stringify({ a, b });
    }
    state = operation.leaves ?? state;
    return true;
  });
}

interface Fields {
  readonly a: number;
  readonly b: number;
}

/** An operation on a register of two fields, either of which can be patched. */
function askOfFields(random: Random): Asked {
  const number = (): number => 1 + random.below(2);
  const fields = { a: number(), b: number() };
  const kind = random.below(7);
  if (kind === 0) return { f: 'write', key: 'k', value: fields };
  if (kind === 1)
    return { f: 'cas', key: 'k', value: [random.chance(0.5) ? null : fields, fields] };
  if (kind === 2) return { f: 'delete', key: 'k' };
  if (kind < 5) return { f: 'read', key: 'k' };
  return { f: 'patch', key: 'k', value: random.chance(0.5) ? { a: fields.a } : { b: fields.b } };
}

/** A small history whose answers are drawn from a few values, so that about half are wrong. */
function smallHistory(random: Random, fields = false): readonly HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const open = new Map<number, Asked>();
  let clients = [0, 1, 2];
  const value = (): HistoryValue =>
    fields
      ? random.chance(0.2)
        ? null
        : { a: 1 + random.below(2), b: 1 + random.below(2) }
      : ([null, 1, 2][random.below(3)] ?? null);
  let begun = 0;
  const count = 2 + random.below(4);
  while (begun < count || open.size > 0) {
    const process = random.pick(clients) ?? 0;
    const index = events.length;
    const asked = open.get(process);
    if (asked === undefined) {
      if (begun >= count) continue;
      const kind = random.below(4);
      const now: Asked = fields
        ? askOfFields(random)
        : kind === 0
          ? { f: 'write', key: 'k', value: 1 + random.below(2) }
          : kind === 1
            ? { f: 'cas', key: 'k', value: [value(), value()] }
            : { f: kind === 2 && random.chance(0.4) ? 'delete' : 'read', key: 'k' };
      open.set(process, now);
      events.push({ index, process, type: 'invoke', time: index, ...now });
      begun += 1;
      continue;
    }
    const type = (['ok', 'ok', 'ok', 'info', 'info', 'fail'] as const)[random.below(6)] ?? 'ok';
    const answer = type === 'ok' && asked.f === 'read' ? { value: value() } : {};
    open.delete(process);
    events.push({ index, process, type, time: index, f: asked.f, key: 'k', ...answer });
    if (type === 'info')
      clients = clients.map((client) => (client === process ? client + 3 : client));
  }
  return events;
}

test.each([
  { what: 'whole values', fields: false },
  { what: 'patches of fields', fields: true },
])(
  'Y2, Y3, Y5: $what: as trying every order says, and the window is wrong by itself',
  ({ fields }) => {
    const counts = { valid: 0, violation: 0, unknown: 0 };
    for (let seed = 0; seed < 4_000; seed += 1) {
      const events = smallHistory(Random.of(seed), fields);
      const verdict = checkRegisters(events);
      const operations = registerOperations(events).get('k') ?? [];
      const expected = someOrderExplains(operations) ? 'valid' : 'violation';
      expect(verdict.kind, `seed ${seed}: ${JSON.stringify(operations)}`).toBe(expected);
      counts[verdict.kind] += 1;
      if (verdict.kind !== 'violation') continue;
      const window = verdict.violations[0]?.window ?? [];
      expect(someOrderExplains(window), `the window of seed ${seed}`).toBe(false);
    }
    expect(Math.min(counts.valid, counts.violation)).toBeGreaterThan(500);
  },
);

test('Y3: a linearizable register is never blamed, however many outcomes are unknown', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const registers = new SimulatedRegisters(Random.of(seed), 2 + (seed % 6));
    for (let at = 0; at < 600; at += 1) registers.step(2, seed % 2 === 0 ? 0.01 : 0.05);
    const verdict = checkRegisters(registers.events);
    expect(verdict.kind, `seed ${seed}`).toBe('valid');
  }
});

const WRITES_X: Deed = { f: 'write', value: 'x', happens: true };
const READS_X: Deed = { f: 'read', happens: false, answer: 'x' };

test.each<{ readonly fault: string; readonly deeds: readonly Deed[] }>([
  {
    fault: 'a stale read',
    deeds: [WRITES_X, { f: 'write', value: 'y', happens: true }, READS_X],
  },
  {
    fault: 'a lost write',
    deeds: [WRITES_X, { f: 'write', value: 'y', happens: false }, READS_X],
  },
  { fault: 'a resurrected delete', deeds: [WRITES_X, { f: 'delete', happens: false }, READS_X] },
])('Y2, Y5: $fault is always found, in a small window', ({ deeds }) => {
  for (let seed = 0; seed < 40; seed += 1) {
    const registers = new SimulatedRegisters(Random.of(seed), 5);
    for (let at = 0; at < 400; at += 1) registers.step(2, 0.01);
    registers.tamper('k0', deeds);
    for (let at = 0; at < 200; at += 1) registers.step(2, 0.01);
    const verdict = checkRegisters(registers.events);
    expect(verdict, `seed ${seed}`).toMatchObject({
      kind: 'violation',
      violations: [{ key: 'k0' }],
    });
    if (verdict.kind !== 'violation') continue;
    expect(verdict.violations[0]?.window.length, `seed ${seed}`).toBeLessThanOrEqual(4);
  }
});

test('Y4: ten thousand operations over twenty keys need few steps', () => {
  const registers = new SimulatedRegisters(Random.of(1), 10);
  for (let at = 0; at < 30_000; at += 1) registers.step(20, 0.002);
  const begun = registers.events.filter(({ type }) => type === 'invoke').length;
  expect(begun).toBeGreaterThan(9_500);
  const verdict = checkRegisters(registers.events);
  expect(verdict.kind).toBe('valid');
  expect(verdict.steps).toBeLessThan(60_000);
});

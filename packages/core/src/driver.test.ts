import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { Driver, type Scheduler } from './driver.ts';
import { after, type Instant, type Machine } from './machine.ts';

const SLICE_MS = 5;

/** A machine that writes down what it was given; each step costs a millisecond. */
class Diary implements Machine<string, string> {
  readonly lines: string[] = [];
  wakeAt: Instant | undefined = undefined;
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  step(_now: Instant, input: string): readonly string[] {
    if (input === 'clock') return [];
    this.#clock.at = after(this.#clock.at, 1);
    this.lines.push(input);
    return [];
  }

  wake(): readonly string[] {
    this.wakeAt = undefined;
    this.lines.push('wake');
    return [];
  }
}

class TestClock implements Clock {
  at = 0 as Instant;

  now(): Instant {
    return this.at;
  }

  wallMs(): number {
    return this.at;
  }
}

/** A loop that turns when the test says so. */
class Loop implements Scheduler {
  readonly #turns: (() => void)[] = [];

  soon(turn: () => void): void {
    this.#turns.push(turn);
  }

  at(): void {
    // The tests turn the loop themselves.
  }

  cancel(): void {
    this.#turns.length = 0;
  }

  turn(): void {
    this.#turns.shift()?.();
  }
}

function rigOf(inboxMax = 1_000) {
  const clock = new TestClock();
  const machine = new Diary(clock);
  const loop = new Loop();
  const driver = new Driver<string, string>({
    machine,
    clock,
    scheduler: loop,
    perform: () => undefined,
    flush: () => undefined,
    wallClockInput: () => 'clock',
    onFault: (error) => {
      throw error;
    },
    sliceMsMax: SLICE_MS,
    inboxMax,
  });
  return { clock, machine, loop, driver };
}

test('what waits in the inbox is handled before a wake-up that is due', () => {
  const { machine, loop, driver } = rigOf();
  machine.wakeAt = 0 as Instant;
  for (let at = 0; at < 20; at += 1) driver.push(`input ${at}`);
  for (let turns = 0; turns < 10; turns += 1) loop.turn();
  expect(machine.lines).toHaveLength(21);
  expect(machine.lines.at(-1)).toBe('wake');
});

test('a stream of inputs that never ends does not keep a wake-up away', () => {
  const { machine, loop, driver } = rigOf();
  for (let at = 0; at < 20; at += 1) driver.push(`early ${at}`);
  machine.wakeAt = 0 as Instant;
  for (let turns = 0; turns < 50; turns += 1) {
    for (let at = 0; at < 10; at += 1) driver.push(`late ${turns}`);
    loop.turn();
  }
  expect(machine.lines).toContain('wake');
  const before = machine.lines.slice(0, machine.lines.indexOf('wake'));
  expect(before.filter((line) => line.startsWith('early'))).toHaveLength(20);
});

test('an input beyond the bound is refused and counted', () => {
  const { driver } = rigOf(2);
  expect([driver.push('a'), driver.push('b'), driver.push('c')]).toEqual([true, true, false]);
  expect(driver.refusedCount).toBe(1);
});

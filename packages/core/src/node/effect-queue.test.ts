import { expect, test } from 'vitest';
import { InvariantError } from '../assert.ts';
import { EffectQueue } from './effect-queue.ts';

function drain(queue: EffectQueue<number>, onTaken: (effect: number) => void): readonly number[] {
  const taken: number[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    taken.push(next);
    onTaken(next);
  }
  return taken;
}

test('N4: effects are taken in the order in which they were caused', () => {
  const queue = new EffectQueue<number>();
  for (const effect of [1, 2]) queue.add(effect);
  const taken = drain(queue, (effect) => {
    if (effect < 10) queue.add(effect * 10);
  });
  expect(taken).toEqual([1, 2, 10, 20]);
});

test('N4: any number of effects may be caused at once, again and again', () => {
  const queue = new EffectQueue<number>();
  for (let step = 0; step < 20; step += 1) {
    for (let effect = 0; effect < 20_000; effect += 1) queue.add(effect);
    expect(drain(queue, () => undefined)).toHaveLength(20_000);
    queue.settled();
  }
});

test('N4: machines that feed each other in a circle are found out', () => {
  const queue = new EffectQueue<number>();
  queue.add(1);
  expect(() => drain(queue, (effect) => queue.add(effect))).toThrow(InvariantError);
});

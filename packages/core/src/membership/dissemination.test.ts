import { memberUpdateBytes } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, idOf, letterOf, updateOf } from '../testing/membership-fixture.ts';
import { Dissemination } from './dissemination.ts';
import { LAN } from './membership-config.ts';

const newsOf = (): Dissemination => new Dissemination(LAN, at(0));

test('M8: a rumour is told twelve times, then never again', () => {
  const news = newsOf();
  const update = updateOf();
  news.tell(update);
  for (let told = 0; told < 12; told += 1) expect(news.take(at(0))).toEqual([update]);
  expect(news.take(at(0))).toEqual([]);
  expect(news.size).toBe(0);
  expect(news.hasNews).toBe(false);
});

test('M9: the newest unsent rumour goes first, then the least told', () => {
  const news = newsOf();
  const small = { ...LAN, gossipBytesMax: memberUpdateBytes(updateOf()) };
  const oneByOne = new Dissemination(small, at(0));
  for (const of of ['b', 'c', 'd']) oneByOne.tell(updateOf({ of }));
  const order = Array.from({ length: 6 }, () =>
    oneByOne.take(at(0)).map((u) => letterOf(u.nodeId)),
  );
  expect(order.flat()).toEqual(['d', 'c', 'b', 'd', 'c', 'b']);
  expect(news.size).toBe(0);
});

test('M9: a message holds at most 1200 bytes of rumours, and none twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 60 }), (digits) => {
      const news = newsOf();
      for (const digit of digits) news.tell(updateOf({ of: digit.toString(16) }));
      for (let round = 0; round < 20; round += 1) {
        const taken = news.take(at(round));
        expect(taken.reduce((sum, it) => sum + memberUpdateBytes(it), 0)).toBeLessThanOrEqual(1200);
        expect(new Set(taken.map((it) => it.nodeId)).size).toBe(taken.length);
      }
    }),
  );
});

test('M9: at most 50 accusations a second are passed on, news at any rate', () => {
  const news = newsOf();
  let accusations = 0;
  for (let ms = 0; ms < 1000; ms += 2) {
    news.accuse(updateOf({ of: 'c', liveness: 'suspect', by: 'b', incarnation: ms + 1 }));
    accusations += news.take(at(ms)).length;
  }
  // A full allowance at the start, and one second's worth on top.
  expect(accusations).toBeLessThanOrEqual(100);
  expect(accusations).toBeGreaterThan(90);
  news.tell(updateOf({ of: 'd' }));
  expect(news.take(at(1000)).some((it) => it.nodeId === idOf('d'))).toBe(true);
});

test('M4, M9: voices of different accusers are all told, repetitions are not', () => {
  const news = newsOf();
  const accusation = { of: 'c', liveness: 'suspect' } as const;
  news.accuse(updateOf({ ...accusation, by: 'b' }));
  news.accuse(updateOf({ ...accusation, by: 'd' }));
  news.accuse(updateOf({ ...accusation, by: 'b' }));
  expect(
    news
      .take(at(0))
      .map((it) => letterOf(it.by))
      .sort(),
  ).toEqual(['b', 'd']);
  news.tell(updateOf({ of: 'c', incarnation: 2 }));
  expect(news.take(at(0)).map((it) => it.liveness)).toEqual(['alive']);
});

test('M19: a lazy rumour rides along and is no reason for a packet', () => {
  const news = newsOf();
  news.tellLazily(updateOf());
  expect(news.hasNews).toBe(false);
  expect(news.take(at(0))).toHaveLength(1);
});

test('M19: load that changes while an announcement waits does not delay it', () => {
  const news = newsOf();
  news.tell(updateOf());
  news.tellLazily(updateOf({ incarnation: 2 }));
  expect(news.hasNews).toBe(true);
});

test('M20: a rumour that is replaced while nobody asks does not pile up', () => {
  const news = newsOf();
  for (let incarnation = 1; incarnation <= 10_000; incarnation += 1) {
    news.tellLazily(updateOf({ incarnation }));
  }
  expect(news.size).toBe(1);
  expect(news.take(at(0)).map((it) => it.incarnation)).toEqual([10_000]);
});

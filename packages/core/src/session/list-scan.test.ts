import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { ShardId } from '@memgrid/protocol';
import { ListScan } from './list-scan.ts';
import type { ScanAnswer, ScanPlace, ScanRequest } from './list-scan.ts';

/** The keys of each shard, in order. */
const shards = fc
  .array(fc.uniqueArray(fc.nat(99), { maxLength: 12 }), { minLength: 1, maxLength: 70 })
  .map((all) => all.map((keys) => keys.map((key) => `k${String(key).padStart(2, '0')}`).sort()));

/** A shard may return less than it was asked for, but never nothing while there is more. */
function answer(
  keys: readonly string[],
  { after, limit }: ScanRequest,
  atOnce: number,
): ScanAnswer<string> {
  const rest = keys.filter((key) => key > after);
  const items = rest.slice(0, Math.min(limit, atOnce));
  return { items, more: items.length < rest.length };
}

test('pages over many shards have everything once, in order, and none is too long', () => {
  fc.assert(
    fc.property(
      shards,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      (all, limit, atOnce) => {
        const listed: string[] = [];
        let place: ScanPlace | undefined = { shard: 0 as ShardId, after: '' };
        for (let pages = 0; place !== undefined; pages += 1) {
          expect(pages).toBeLessThan(1_000);
          const scan: ListScan<string> = new ListScan<string>({
            from: place,
            end: all.length,
            limit,
            keyOf: (key) => key,
          });
          for (let wave = scan.next(); wave.length > 0; wave = scan.next()) {
            expect(wave.length).toBeLessThanOrEqual(32);
            scan.take(wave.map((part) => answer(all[part.shard] ?? [], part, atOnce)));
          }
          expect(scan.items.length).toBeLessThanOrEqual(limit);
          if (scan.place !== undefined) expect(scan.items).toHaveLength(limit);
          listed.push(...scan.items);
          place = scan.place;
        }
        expect(listed).toEqual(all.flat());
      },
    ),
  );
});

test('a place behind the last shard is the end', () => {
  const from = { shard: 8 as ShardId, after: '' };
  const scan = new ListScan<string>({ from, end: 8, limit: 5, keyOf: (key) => key });
  expect(scan.next()).toEqual([]);
  expect(scan.place).toBeUndefined();
});

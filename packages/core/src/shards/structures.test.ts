import type { LogRecord } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labNode } from '../testing/shard-lab.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import { LoggedRecord } from './logged-record.ts';
import { ShardLog } from './shard-log.ts';
import { SHARDS_DEFAULTS, shardsConfig } from './shards-config.ts';
import { StepStorage } from './step-storage.ts';

type LogAct =
  | { readonly kind: 'append'; readonly epoch: number; readonly bytes: number }
  | { readonly kind: 'cut'; readonly share: number }
  | { readonly kind: 'trim'; readonly share: number };

const logActs: fc.Arbitrary<readonly LogAct[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('append' as const), epoch: fc.nat(1), bytes: fc.nat(5) }),
    fc.record({ kind: fc.constant('append' as const), epoch: fc.nat(1), bytes: fc.nat(5) }),
    fc.record({
      kind: fc.constant('cut' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({
      kind: fc.constant('trim' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
  { maxLength: 60 },
);

test('a log is what an array of all its records would be', () => {
  fc.assert(
    fc.property(logActs, (acts) => {
      const log = new ShardLog();
      let twin: LogRecord[] = [];
      let base = 0;
      let epoch = 1;
      for (const act of acts) {
        const place = base + Math.floor(('share' in act ? act.share : 0) * (twin.length - base));
        if (act.kind === 'append') {
          epoch += act.epoch;
          const body = new Uint8Array(act.bytes);
          const record: LogRecord = { epoch, index: twin.length + 1, sync: 'disk', body };
          twin.push(record);
          log.append(LoggedRecord.received(record));
        } else if (act.kind === 'cut') {
          expect(log.cutAfter(place).map(({ record }) => record)).toEqual(twin.slice(place));
          twin = twin.slice(0, place);
        } else {
          log.trimTo(place);
          base = place;
        }
        expect([log.base.index, log.lastIndex, log.count]).toEqual([
          base,
          twin.length,
          twin.length - base,
        ]);
        expect(log.after(base, 1000, 1000)).toEqual(twin.slice(base));
        expect(log.bytes).toBe(
          twin.slice(base).reduce((sum, record) => sum + LoggedRecord.received(record).bytes, 0),
        );
        expect(log.epochAt(twin.length)).toBe(twin.at(-1)?.epoch ?? log.base.epoch);
        expect(log.at(base)).toBe(undefined);
      }
    }),
  );
});

test('F16: requests that differ in anything have different fingerprints', () => {
  const base = {
    kind: 'put',
    namespace: 'n',
    key: 'k',
    entry: Uint8Array.of(1, 2),
    condition: { kind: 'always' },
  } as const;
  const dot = { actor: `${labNode(1)}.1`, counter: 1 } as never;
  const others = [
    base,
    { ...base, namespace: 'nk', key: '' },
    { ...base, key: 'l' },
    { ...base, entry: Uint8Array.of(1, 3) },
    { ...base, condition: { kind: 'absent' } },
    { ...base, condition: { kind: 'version', dot } },
    { kind: 'delete', namespace: 'n', key: 'k', condition: { kind: 'always' } },
  ] as const;
  expect(new Set(others.map(fingerprintOf)).size).toBe(others.length);
  expect(fingerprintOf({ ...base })).toBe(fingerprintOf(base));
});

test('F3: a synced batch vouches for all before it, and nothing for those after', () => {
  const storage = new StepStorage();
  const told: string[] = [];
  const write = (name: string, durable: boolean): number => {
    const value = new Uint8Array();
    storage.write([{ kind: 'put', key: name, value }], durable, (safety) =>
      told.push(name + safety),
    );
    const effect = storage.take();
    return effect?.kind === 'store' ? effect.ticket : 0;
  };
  const [first, second, third, fourth] = [
    write('a', false),
    write('b', false),
    write('c', true),
    write('d', false),
  ];
  for (const ticket of [first, second]) storage.stored(ticket as number);
  expect(told).toEqual(['aos', 'bos']);
  storage.stored(third as number);
  expect(told).toEqual(['aos', 'bos', 'adisk', 'bdisk', 'cdisk']);
  storage.stored(fourth as number);
  expect(told.at(-1)).toBe('dos');
});

test('every number of the configuration is checked, and all problems are told', () => {
  expect(shardsConfig()).toEqual(SHARDS_DEFAULTS);
  expect(shardsConfig({ retryMs: 7 }).retryMs).toBe(7);
  expect(() => shardsConfig({ retryMs: 0, dotLease: 1.5 })).toThrow(
    'retryMs (0) must be a whole number from 1. dotLease (1.5) must be a whole number from 1.',
  );
});

import { LIMITS, nodeId, shardId, type ShardConfig, type ShardReport } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { ReportCourier } from './report-courier.ts';

const SELF = nodeId('1'.repeat(32));
const B = nodeId('2'.repeat(32));
const C = nodeId('3'.repeat(32));

function reportOf(shard: number, active = true): ShardReport {
  return {
    shard: shardId(shard, LIMITS.shardsMax),
    epoch: 1,
    active,
    promised: [SELF],
    caughtUp: [SELF],
    entries: 0,
    bytes: 0,
  };
}

function shardsTo(parcels: ReturnType<ReportCourier['take']>): readonly (readonly number[])[] {
  return parcels.map(({ reports }) => reports.map(({ shard }) => shard));
}

test('N13: reports wait for a coordinator, and go to the next one all again', () => {
  const courier = new ReportCourier(SELF);
  expect(courier.take([reportOf(1, false), reportOf(2)])).toEqual([]);
  expect(shardsTo(courier.follow(B))).toEqual([[1, 2]]);
  expect(courier.follow(B)).toEqual([]);
  expect(courier.take([reportOf(1)])).toEqual([{ to: B, reports: [reportOf(1)] }]);
  expect(courier.follow(undefined)).toEqual([]);
  expect(courier.follow(C)).toEqual([{ to: C, reports: [reportOf(1), reportOf(2)] }]);
});

test('N13: what is said of a shard that others serve now is said no more', () => {
  const courier = new ReportCourier(SELF);
  courier.take([reportOf(1), reportOf(2)]);
  const config = { shard: shardId(1, 8), primary: B } as ShardConfig;
  courier.placed([config, { ...config, shard: shardId(2, 8), primary: SELF }]);
  expect(shardsTo(courier.follow(B))).toEqual([[2]]);
});

test('N13: many reports go in as many messages as they need', () => {
  const courier = new ReportCourier(SELF);
  courier.follow(B);
  const count = LIMITS.shardReportsMax + 1;
  const parcels = courier.take(Array.from({ length: count }, (_, shard) => reportOf(shard)));
  expect(parcels.map(({ reports }) => reports.length)).toEqual([LIMITS.shardReportsMax, 1]);
});

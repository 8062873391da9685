import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { ShardMessage } from '../shards-io.ts';
import { labNode, type Sent, SHARD, ShardLab } from '../../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];
const OTHER = (SHARD + 1) as ShardId;
const MINUTE_MS = 60_000;

/** Node 2 has acknowledged records that it has not synced, and node 1 no longer retains. */
function trimmedLab(): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { logRecordsMax: 2 } });
  lab.assign({ shard: OTHER, primary: A, replicas: [A] });
  lab.assign({ primary: A, replicas: [A, B, C] });
  lab.advance(100);
  for (let number = 0; number < 10; number += 1) lab.put(1, `k${number}`, 'v', { sync: 'os' });
  lab.advance(300);
  // A synced batch of any shard makes safe what was written before it.
  lab.put(1, 'o', 'v', { shard: OTHER });
  lab.put(1, 'trim', 'v', { sync: 'os' });
  lab.advance(300);
  return lab;
}

test('F22: a stream does not take away what this replica has acknowledged', () => {
  const lab = trimmedLab();
  lab.drop = ({ to }) => to === C;
  lab.holdDisk(1);
  lab.holdDisk(2);
  const token = lab.put(1, 'x', 'v', { sync: 'os' });
  // The connection begins anew: what is not known to be synced may be gone, so a stream is offered.
  let offer: ShardMessage | undefined;
  lab.drop = ({ to, body }) => {
    if (to === B && body.type === 'logSuffix') offer = body;
    return to === C || body === offer;
  };
  lab.input(1, { kind: 'peerReset', peer: B });
  // Before node 2 hears the offer, it has written the record and says so.
  lab.releaseDisk(2);
  // All that it says after its question is slow to arrive.
  lab.drop = ({ from, to, body }) => {
    return to === C || (from === B && to === A && body.type !== 'streamOpen');
  };
  lab.deliver(1, 2, offer as ShardMessage);
  lab.advance(50);
  expect(lab.sent.some(({ body }) => body.type === 'streamChunk' && body.doneAt > 0)).toBe(true);
  lab.releaseDisk(1);
  expect(lab.answers.get(token)?.result.kind).toBe('written');
  lab.crash(1);
  lab.drop = () => false;
  lab.alive(2, 3);
  lab.assign({ primary: C });
  lab.advance(5000);
  expect(lab.status(3).active).toBe(true);
  expect(lab.answers.get(lab.get(3, 'x', { read: 'strong' }))?.result.kind).toBe('found');
});

test('F22, F16: what the source forgets meanwhile takes nothing away from what is streamed', () => {
  const lab = new ShardLab({
    nodes: 2,
    config: { logRecordsMax: 2, streamChunkEntries: 5, streamCredit: 1, operationBytesMax: 36_500 },
  });
  lab.assign({ primary: A, replicas: [A] });
  const ids: string[] = [];
  const put = (): void => {
    // So far from each other that they are forgotten one by one; the bound is reached by thirty.
    const operationId = lab.operationId(lab.wallMs - MINUTE_MS + 250 * ids.length);
    ids.push(operationId);
    lab.put(1, 'k', 'v', { operationId });
  };
  for (let number = 0; number < 30; number += 1) put();
  lab.advance(1000);
  put();
  lab.advance(300);
  // Some of the operations are at node 2 when node 1 forgets the first ones.
  lab.drop = ({ body }) => body.type === 'streamChunk' && body.chunk > 2;
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(300);
  for (let number = 0; number < 10; number += 1) put();
  lab.advance(300);
  lab.drop = () => false;
  lab.advance(10_000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 1 });
  lab.assign({ stage: 'switch', primary: B });
  lab.advance(1000);
  expect(lab.status(2).active).toBe(true);
  const last = lab.status(2).last.index;
  for (const operationId of ids) {
    const { result } = lab.answers.get(lab.put(2, 'k', 'v', { operationId })) ?? {};
    if (result?.kind === 'written') expect(result.repeated).toBe(true);
    else expect(result).toMatchObject({ code: 'OPERATION_EXPIRED' });
  }
  expect(lab.status(2).last.index).toBe(last);
});

test('F22, F9: what the filled copy acknowledged before it counts is sent to it again after', () => {
  const lab = new ShardLab({ nodes: 4, config: { logRecordsMax: 2 } });
  const D = labNode(4);
  lab.assign({ primary: A, replicas: [A, B] });
  for (let number = 0; number < 10; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'trim', 'v');
  lab.advance(1000);
  // The end of the stream to node 3 is slow, and node 4, which the quorum needs, hears no record.
  const isForD = ({ to, body }: Sent): boolean => to === D && body.type !== 'promise';
  let isApart = true;
  lab.drop = (sent) => {
    const { from, body } = sent;
    if (isForD(sent) || (body.type === 'streamChunk' && body.doneAt > 0)) return true;
    // Its answers to records are lost with the connection.
    return isApart && from === C && body.type === 'replicateAck' && !mismatched(body);
  };
  lab.assign({ stage: 'admit', next: [C, D], session: 2 });
  lab.assign({ stage: 'dual', next: [C, D], session: 2 });
  lab.advance(10);
  isApart = false;
  lab.input(1, { kind: 'peerReset', peer: C });
  lab.advance(10);
  lab.drop = isForD;
  lab.advance(2000);
  expect(lab.status(3)).toMatchObject({ complete: true, slot: 1 });
  lab.drop = () => false;
  lab.advance(10_000);
  expect(lab.status(1)).toMatchObject({ active: true });
  expect(lab.status(3).applied).toBe(lab.status(1).last.index);
});

function mismatched(body: ShardMessage): boolean {
  return body.type === 'replicateAck' && body.shards.some(({ mismatch }) => mismatch);
}

import { membershipConfig } from '@memgrid/core';
import type { GroupConfig, LogEntry, Message, NodeId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Checker, NodeView, WorldView } from '../checker.ts';
import type { ProcessLabel, WorldEvent } from '../world-event.ts';
import { committedEntriesStay } from './committed-entries-stay.ts';
import { configQuorumsOverlap } from './config-quorums-overlap.ts';
import { gossipPerSecondMax, gossipWithinCap } from './gossip-within-cap.ts';
import { haltsHaveCauses } from './halts-have-causes.ts';
import { logMatching } from './log-matching.ts';
import { machinesNeverFault } from './machines-never-fault.ts';
import { oneFounding } from './one-founding.ts';
import { oneLeaderPerTerm } from './one-leader-per-term.ts';
import { oneVotePerTerm } from './one-vote-per-term.ts';
import { shardsWholeAfterHealing } from './shards-whole-after-healing.ts';

const n1: ProcessLabel = { node: 'n1', nodeId: '1'.repeat(32) as NodeId, process: 1 };
const n2: ProcessLabel = { node: 'n2', nodeId: '2'.repeat(32) as NodeId, process: 2 };

/** The first complaint about a series of events, if any. */
function complaint(checker: Checker, events: readonly WorldEvent[]): string | undefined {
  for (const event of events) {
    if (!checker.kinds.includes(event.kind)) continue;
    const message = checker.observe(event, 0);
    if (message !== undefined) return message;
  }
  return checker.finish();
}

function sent(at: ProcessLabel, message: object, to = 'n3'): WorldEvent {
  const header = { version: 1, flags: 0, cluster32: 0, source: at.nodeId, sequence: 1 };
  const rest = { sourceGeneration: 1, targetGeneration: 1, timestamp: { ms: 0, counter: 0 } };
  const whole = { groupEpoch: 1, ...message } as unknown as Message;
  const envelope = { ...header, ...rest, controlIndex: 0, message: whole };
  return { kind: 'sent', at, to, envelope } as WorldEvent;
}

function append(term: number, previous: readonly [number, number], more: object = {}): object {
  const [previousIndex, previousTerm] = previous;
  return { type: 'append', term, previousIndex, previousTerm, commit: 0, entries: [], ...more };
}

function entry(index: number, term: number, byte = 0): LogEntry {
  const payload = { kind: 'command', command: new Uint8Array([byte]) };
  return { index, term, payload } as unknown as LogEntry;
}

const heartbeat = (term: number, commit = 0): object => ({ type: 'heartbeat', term, commit });

test('two leaders of one term are told, two of different terms are not', () => {
  expect(complaint(oneLeaderPerTerm(), [sent(n1, heartbeat(4)), sent(n2, heartbeat(5))])).toBe(
    undefined,
  );
  expect(complaint(oneLeaderPerTerm(), [sent(n1, heartbeat(4)), sent(n2, heartbeat(4))])).toMatch(
    /^n2 leads in term 1.4, which 11111111 has led already/,
  );
});

test('a second candidate of one term is told, a repeated vote is not', () => {
  const vote = (to: string): WorldEvent =>
    sent(n1, { type: 'voteResp', term: 3, granted: true }, to);
  expect(complaint(oneVotePerTerm(), [vote('n2'), vote('n2')])).toBe(undefined);
  expect(complaint(oneVotePerTerm(), [vote('n2'), vote('n3')])).toMatch('Votes for n3');
  expect(complaint(oneVotePerTerm(), [vote('n2'), sent(n1, heartbeat(3))])).toMatch('Votes for n1');
});

test('one place in the log with two payloads, or two pasts, is told', () => {
  const first = sent(n1, append(2, [4, 1], { entries: [entry(5, 2), entry(6, 2)] }));
  expect(complaint(logMatching(), [first, first])).toBe(undefined);
  const payload = sent(n2, append(3, [5, 2], { entries: [entry(6, 2, 9)] }));
  expect(complaint(logMatching(), [first, payload])).toMatch('two different payloads');
  const past = sent(n2, append(3, [4, 2], { entries: [entry(5, 2)] }));
  expect(complaint(logMatching(), [first, past])).toMatch('follows an entry of term 2');
});

test('a later leader without a committed entry is told, an earlier one may well lack it', () => {
  const committed = [
    sent(n1, append(3, [4, 2], { entries: [entry(5, 3)] })),
    sent(n1, heartbeat(3, 5)),
  ];
  const other = (term: number): WorldEvent =>
    sent(n2, append(term, [4, 2], { entries: [entry(5, term, 7)] }));
  expect(complaint(committedEntriesStay(), [...committed, other(2)])).toBe(undefined);
  expect(complaint(committedEntriesStay(), [...committed, other(4)])).toMatch(
    'has an entry of term 4 at index 5, where an entry of term 3 was committed',
  );
});

test.each([
  { after: 'abc', outgoing: '', problem: undefined },
  { after: 'abd', outgoing: 'abc', problem: undefined },
  { after: 'def', outgoing: 'abc', problem: undefined },
  { after: 'def', outgoing: '', problem: 'can miss each other' },
  { after: 'ab', outgoing: 'abc', problem: 'has 2 voters' },
  { after: 'a', outgoing: 'abc', problem: 'shrank by itself' },
])('from abc to $after leaving "$outgoing": $problem', ({ after, outgoing, problem }) => {
  const changed = (index: number, config: object): WorldEvent =>
    ({ kind: 'published', at: n1, event: { name: 'group.changed', index, config } }) as WorldEvent;
  const config = (voters: string, votersOutgoing: string): GroupConfig =>
    ({ voters: [...voters], votersOutgoing: [...votersOutgoing], learners: [] }) as never;
  const events = [changed(1, config('abc', '')), changed(2, config(after, outgoing))];
  const message = complaint(configQuorumsOverlap(), events);
  if (problem === undefined) expect(message).toBe(undefined);
  else expect(message).toMatch(problem);
});

test('two clusters founded from the same seeds are told', () => {
  const founded = (at: ProcessLabel, clusterId: string): WorldEvent =>
    ({
      kind: 'published',
      at,
      event: { name: 'cluster.founded', clusterId, members: 2 },
    }) as unknown as WorldEvent;
  expect(complaint(oneFounding(), [founded(n1, 'x'), founded(n2, 'x')])).toBe(undefined);
  expect(complaint(oneFounding(), [founded(n1, 'x'), founded(n2, 'y')])).toMatch('cluster y');
});

test('a halt needs a fault that explains it, and a thrown error is never fine', () => {
  const halted: WorldEvent = {
    kind: 'ended',
    at: n1,
    end: { how: 'halted', code: 'storeFailed', detail: 'EIO.' },
  };
  const cause: WorldEvent = {
    kind: 'intervened',
    what: 'diskError n1',
    fault: { kind: 'diskError', node: 'n1' },
  };
  expect(complaint(haltsHaveCauses(), [cause, halted])).toBe(undefined);
  expect(complaint(haltsHaveCauses(), [halted])).toMatch('without a cause');
  const faulted: WorldEvent = {
    kind: 'ended',
    at: n1,
    end: { how: 'faulted', error: new Error('Hop limit.') },
  };
  expect(complaint(machinesNeverFault(), [faulted])).toMatch('Hop limit.');
});

/** Three copies on a, b and c, as those of `applied` see them who are still there. */
function missing(applied: Readonly<Record<string, number>>): string | undefined {
  const config = { shard: 0, epoch: 1, stage: 'stable', primary: 'a', replicas: ['a', 'b', 'c'] };
  const expected = Object.entries(applied).map(([node, index]) => {
    const shard = { shard: 0, active: node === 'a', complete: true, applied: index };
    const control = { index: 1, replicationFactor: 3, shards: [config] };
    const status = { nodeId: node, control, shards: [{ ...shard, last: { index: 9 } }] };
    return { node, status, label: undefined } as unknown as NodeView;
  });
  const view: WorldView = { nowUs: 0, expected, nameOf: (nodeId) => nodeId };
  return shardsWholeAfterHealing(1).missing(view);
}

test('a copy that is gone is missed as soon as there is a node for another one', () => {
  expect(missing({ a: 9, b: 9, c: 9 })).toBeUndefined();
  expect(missing({ a: 9, b: 9, c: 8 })).toMatch('applied up to 8 of 9 at c');
  expect(missing({ a: 9, b: 9 })).toBeUndefined();
  expect(missing({ a: 9, b: 8 })).toMatch('applied up to 8 of 9 at b');
  expect(missing({ a: 9, b: 9, d: 0 })).toMatch('counts on c, which is gone');
});

/** Rounds of gossip by one process, evenly over so many seconds. */
function gossipComplaint(seconds: number, perSecond: number, nodes: number): string | undefined {
  const checker = gossipWithinCap(() => gossipPerSecondMax(membershipConfig(), nodes));
  const event = sent(n1, { type: 'gossip', updates: [] });
  for (let number = 0; number < seconds * perSecond; number += 1) {
    const message = checker.observe(event, Math.round((number * 1_000_000) / perSecond));
    if (message !== undefined) return message;
  }
  return undefined;
}

test('what a suspect among so many is asked may be answered, and no more', () => {
  for (const nodes of [2, 3, 5, 7, 16]) {
    const perSecond = gossipPerSecondMax(membershipConfig(), nodes);
    expect(gossipComplaint(30, perSecond, nodes)).toBe(undefined);
    expect(gossipComplaint(30, perSecond + 1, nodes)).toMatch(/^Sent \d+ gossip messages/);
  }
});

test('the schedule of gossip: pings twice, three helpers, three told five times a second', () => {
  // Of seven nodes each makes a probe of five messages, and answers six such probes when suspected.
  const probes = 5 + 6 * 5;
  expect(gossipPerSecondMax(membershipConfig(), 7)).toBe(probes + 15 + 15 + 6);
  // Of three there is one helper, and a round reaches two.
  expect(gossipPerSecondMax(membershipConfig(), 3)).toBe(3 * 3 + 10 + 10 + 2);
});

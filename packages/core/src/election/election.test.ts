import type { GroupConfig, GroupEpoch, LogIndex, NodeId, Term } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import {
  B,
  C,
  D,
  entryOf,
  last,
  LoneElection,
  type LoneElectionOptions,
  SELF,
  sent,
  sentTypes,
  THREE,
} from '../testing/lone-election.ts';
import type { ElectionEffect } from './election-io.ts';

const lone = (options?: LoneElectionOptions): LoneElection => new LoneElection(options);
const at = (index: number): LogIndex => index as LogIndex;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function outcomes(effects: readonly ElectionEffect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === 'proposed' ? [effect.outcome.kind] : []));
}

function events(effects: readonly ElectionEffect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'event') return [];
    const { event } = effect;
    return ['reason' in event ? `${event.name} ${event.reason}` : event.name];
  });
}

function vote(term: number, index = 1, lastTerm = 1, transfer = false) {
  return { type: 'vote', term, ...last(index, lastTerm), transfer } as const;
}

const leaderTypes = ['append', 'heartbeat', 'snapshotChunk', 'timeoutNow'];

test('E1: section 5.2, the second candidate of a term gets no vote, also after a restart', () => {
  const node = lone();
  node.hear(B, vote(2));
  expect(sent(node.sync())).toMatchObject([{ to: B, body: { type: 'voteResp', granted: true } }]);
  expect(sent(node.hear(C, vote(2)))).toMatchObject([{ to: C, body: { granted: false } }]);
  // The same candidate asks again because the answer was lost: the same answer.
  expect(sent(node.hear(B, vote(2)))).toMatchObject([{ to: B, body: { granted: true } }]);

  const restarted = lone({ term: 2, vote: B });
  expect(sent(restarted.hear(C, vote(2)))).toMatchObject([{ body: { granted: false } }]);
  expect(sent(restarted.hear(B, vote(2)))).toMatchObject([{ body: { granted: true } }]);
});

test('E2: a vote leaves only after the write that holds it', () => {
  const node = lone();
  const effects = node.hear(B, vote(2));
  expect(effects.map((effect) => effect.kind)).toEqual(['store']);
  expect(effects[0]).toMatchObject({ durable: true, operations: [{ key: 'raft/hard' }] });
  expect(sentTypes(node.sync())).toEqual(['voteResp']);
});

test('E2: an append is acknowledged only after the write that holds it, in order', () => {
  const node = lone();
  node.append(B, { term: 2, behind: [1, 1], entries: [entryOf(2, 2)] });
  const later = node.append(B, { term: 2, behind: [2, 2], entries: [entryOf(3, 2)] });
  expect(sentTypes(later)).toEqual([]);
  const answers = sent(node.sync());
  expect(answers.map(({ body }) => body.type === 'appendResp' && body.index)).toEqual([2, 3]);
});

test('E2: a term is durable before it is answered in, but a repeated heartbeat does not wait', () => {
  const node = lone();
  expect(sentTypes(node.heartbeat(B, 5))).toEqual([]);
  expect(sentTypes(node.sync())).toEqual(['heartbeatResp']);
  expect(sentTypes(node.heartbeat(B, 5))).toEqual(['heartbeatResp']);
});

test('E2: a candidate does not lead before its own vote is durable', () => {
  const node = lone().campaign();
  node.hear(B, { type: 'voteResp', term: 2, granted: true });
  node.hear(C, { type: 'voteResp', term: 2, granted: true });
  expect(node.status.role).toBe('candidate');
  node.sync();
  expect(node.status.role).toBe('leader');
});

test('E2: a leader does not count its own copy before it is durable', () => {
  const node = lone().campaign();
  node.sync();
  node.hear(B, { type: 'voteResp', term: 2, granted: true });
  node.accept(B, 2);
  expect(node.status.commit).toBe(1);
  node.sync();
  expect(node.status.commit).toBe(2);
});

test.each([
  { log: [2, 2], asks: [3, 2], granted: true },
  { log: [2, 2], asks: [2, 2], granted: false },
  { log: [2, 2], asks: [2, 3], granted: true },
  { log: [2, 3], asks: [9, 2], granted: false },
] as const)('E3: our log ends $log, a candidate with $asks is granted: $granted', (it) => {
  const node = lone({ log: it.log, term: 3 });
  const [index, lastTerm] = it.asks;
  node.hear(B, vote(4, index, lastTerm));
  expect(sent(node.sync())).toMatchObject([{ body: { granted: it.granted } }]);
});

test('E4: asking around changes nothing, here and there', () => {
  const asking = lone().preCampaign();
  expect([asking.status.term, asking.status.vote]).toEqual([1, undefined]);
  expect(asking.effects.filter((effect) => effect.kind === 'store')).toEqual([]);

  const asked = lone();
  const effects = asked.hear(B, { type: 'preVote', term: 9, ...last(1, 1) });
  expect(effects).toMatchObject([{ kind: 'send', body: { granted: true, term: 9 } }]);
  expect([asked.status.term, asked.status.vote]).toEqual([1, undefined]);
});

test('E4: a node that was away for long asks in vain and deposes nobody', () => {
  const away = lone().preCampaign();
  for (let round = 0; round < 50; round += 1) away.pass(500);
  expect(away.status).toMatchObject({ role: 'preCandidate', term: 1 });

  const leader = lone().leadWith();
  const answer = leader.hear(C, { type: 'preVote', term: 3, ...last(1, 1) });
  expect(sent(answer)).toMatchObject([{ body: { type: 'preVoteResp', granted: false, term: 2 } }]);
  expect(leader.status).toMatchObject({ role: 'leader', term: 2 });
});

test('E4: a granted pre-vote of an earlier round does not count', () => {
  const node = lone().preCampaign();
  node.hear(B, { type: 'preVoteResp', term: 7, granted: true });
  expect(node.status.role).toBe('preCandidate');
});

test.each(['preVoteResp', 'voteResp', 'appendResp', 'heartbeatResp'] as const)(
  'E5: a %s of a later term ends a leadership',
  (type) => {
    const node = lone().leadWith();
    const empty = { index: at(0), hintIndex: at(0), hintTerm: 0 as Term, readRound: 0 };
    const effects = node.hear(C, { type, term: 9, granted: false, accepted: false, ...empty });
    expect(events(effects)).toContain('coordinator.steppedDown higherTerm');
    expect(node.status).toMatchObject({ role: 'follower', term: 9, leader: undefined });
  },
);

test.each([
  { said: { type: 'heartbeat', commit: at(1), readRound: 0 }, answer: 'appendResp' },
  { said: { type: 'preVote', ...last(9, 2) }, answer: 'preVoteResp' },
  { said: { type: 'vote', ...last(9, 2), transfer: false }, answer: 'voteResp' },
] as const)('E5: section 5.1, a $said.type of an earlier term is told ours', ({ said, answer }) => {
  const node = lone({ term: 5 });
  const effects = node.hear(B, { ...said, term: 3 });
  expect(sent(effects)).toMatchObject([{ to: B, body: { type: answer, term: 5 } }]);
  expect(node.status).toMatchObject({ term: 5, leader: undefined });
});

test('E6: a follower that hears its leader ignores candidates, until it has been silent', () => {
  const node = lone();
  node.heartbeat(B, 2);
  node.sync();
  expect(node.hear(C, vote(3, 9, 2))).toEqual([]);
  expect(node.status).toMatchObject({ term: 2, leader: B });
  node.now += 1_500;
  node.hear(C, vote(3, 9, 2));
  expect(sent(node.sync())).toMatchObject([{ to: C, body: { granted: true } }]);
});

test('E6: the lease does not apply to a hand-over, nor to a leader that gossip knows dead', () => {
  const handed = lone();
  handed.heartbeat(B, 2);
  handed.hear(C, vote(3, 9, 2, true));
  expect(handed.status).toMatchObject({ term: 3, vote: C });

  const told = lone();
  told.heartbeat(B, 2);
  told.give({ kind: 'peerDied', peer: C });
  expect(told.hear(C, vote(3, 9, 2))).toEqual([]);
  told.give({ kind: 'peerDied', peer: B });
  told.hear(C, vote(3, 9, 2));
  expect(told.status.vote).toBe(C);
});

test('E6: a follower that is told of the death asks around within 300 ms', () => {
  const node = lone();
  node.heartbeat(B, 2);
  node.give({ kind: 'peerDied', peer: B });
  expect(sentTypes(node.pass(300))).toContain('preVote');
});

test('E7: a leader that hears nobody sends nothing more and steps down', () => {
  const node = lone().leadWith();
  const contactAt = node.now;
  // Not woken, as after a stall: proposals arrive, but nothing leaves.
  node.now = contactAt + 1_500;
  const late = node.give({ kind: 'propose', request: 1, command: bytes(1) });
  expect(sentTypes(late)).toEqual([]);
  const effects = node.pass(1);
  expect(events(effects)).toEqual(['coordinator.steppedDown quorumLost']);
  expect(outcomes(effects)).toEqual(['unknown']);
  expect(sentTypes(effects).filter((type) => leaderTypes.includes(type))).toEqual([]);
});

test('E7: one voter of three is enough to stay, a learner is not', () => {
  const group: GroupConfig = { ...THREE, learners: [D] };
  const node = lone({ group }).leadWith();
  const answer = { type: 'heartbeatResp', term: 2, readRound: 0 } as const;
  for (let beat = 0; beat < 20; beat += 1) {
    node.pass(300);
    node.hear(B, answer);
  }
  expect(node.status.role).toBe('leader');
  for (let beat = 0; beat < 20; beat += 1) {
    node.pass(300);
    node.hear(D, answer);
  }
  expect(node.status.role).not.toBe('leader');
});

test('E9: figure 8, an entry of an earlier term is committed only by one of this term', () => {
  const node = lone({ log: [2, 2], term: 2 }).lead();
  node.accept(B, 3);
  expect(node.status.commit).toBe(1);
  const effects = node.accept(B, 4);
  expect(effects.find((effect) => effect.kind === 'committed')).toMatchObject({
    entries: [{ index: 2 }, { index: 3 }, { index: 4 }],
  });
});

test('E10: a leader changes nothing before it has committed an entry of its own term', () => {
  const node = lone().lead();
  const change = { kind: 'reconfigure', request: 1, voters: [SELF, B], learners: [] } as const;
  expect(outcomes(node.give(change))).toEqual(['overloaded']);
  node.accept(B);
  expect(outcomes(node.give(change))).toEqual([]);
  expect(node.status.config).toEqual({
    voters: [SELF, B],
    votersOutgoing: [SELF, B, C],
    learners: [],
  });
  // One at a time.
  expect(outcomes(node.give({ ...change, request: 2 }))).toEqual(['overloaded']);
});

test('E10: a recovered joint configuration is committed before it is left', () => {
  const joint: GroupConfig = { voters: [SELF, B], votersOutgoing: [SELF, B, C], learners: [] };
  const node = lone();
  const entries = [entryOf(2, 2, { kind: 'config', config: joint })];
  node.append(C, { term: 2, behind: [1, 1], entries });
  node.sync();
  node.lead();
  expect(node.status).toMatchObject({ config: joint, configIndex: 2, lastIndex: 3 });
  node.accept(B, 2);
  expect(node.status).toMatchObject({ commit: 1, lastIndex: 3 });
  node.accept(B, 3);
  expect(node.status).toMatchObject({ commit: 3, configIndex: 4 });
  expect(node.status.config).toEqual({ voters: [SELF, B], votersOutgoing: [], learners: [] });
});

test('E10: a configuration that is replaced was never in force', () => {
  const config: GroupConfig = { voters: [B], votersOutgoing: [], learners: [SELF] };
  const node = lone();
  const entries = [entryOf(2, 2, { kind: 'config', config })];
  node.append(B, { term: 2, behind: [1, 1], entries });
  expect(node.status).toMatchObject({ role: 'learner', config });
  node.append(C, { term: 3, behind: [1, 1], entries: [entryOf(2, 3)] });
  expect(node.status).toMatchObject({ role: 'follower', config: THREE });
});

test('E11: a stranger, and a learner that lags, are not made voters', () => {
  const group: GroupConfig = { voters: [SELF, B], votersOutgoing: [], learners: [C] };
  const node = lone({ group, config: { promotionLagMax: 2 } }).leadWith();
  const promote = (...voters: NodeId[]) =>
    outcomes(node.give({ kind: 'reconfigure', request: 1, voters, learners: [] }));
  expect(promote(SELF, B, D)).toEqual(['overloaded']);
  expect(promote(SELF, B, C)).toEqual(['overloaded']);
  node.accept(C, 2);
  expect(promote(SELF, B, C)).toEqual([]);
});

test('E12: a read waits for a round that began after it', () => {
  const node = lone().leadWith();
  const round = (number: number) =>
    ({ type: 'heartbeatResp', term: 2, readRound: number }) as const;
  const asked = node.give({ kind: 'readIndex', request: 1 });
  expect(sent(asked)).toMatchObject([{ body: { readRound: 1 } }, { body: { readRound: 1 } }]);
  expect(node.hear(B, round(0)).filter((effect) => effect.kind === 'readable')).toEqual([]);
  // Two more share the next round.
  node.give({ kind: 'readIndex', request: 2 });
  node.give({ kind: 'readIndex', request: 3 });
  const readable = (effects: readonly ElectionEffect[]) =>
    effects.filter((effect) => effect.kind === 'readable');
  expect(readable(node.hear(B, round(1)))).toEqual([{ kind: 'readable', request: 1, index: 2 }]);
  expect(readable(node.hear(C, round(1)))).toEqual([]);
  expect(readable(node.hear(C, round(2)))).toMatchObject([{ request: 2 }, { request: 3 }]);
});

test('E12: a new leader does not answer reads before it knows what is committed', () => {
  const node = lone().lead();
  expect(sentTypes(node.give({ kind: 'readIndex', request: 1 }))).toEqual([]);
  expect(sentTypes(node.accept(B))).toContain('heartbeat');
});

test('E13: a proposal is answered when it is committed, and unknown when leadership is lost', () => {
  const node = lone().leadWith();
  expect(outcomes(node.give({ kind: 'propose', request: 1, command: bytes(1) }))).toEqual([]);
  node.sync();
  expect(outcomes(node.accept(B))).toEqual(['committed']);
  node.give({ kind: 'propose', request: 2, command: bytes(2) });
  expect(outcomes(node.heartbeat(C, 9))).toEqual(['unknown']);
});

test('E13: without a leader the answer is at once, and certain', () => {
  expect(outcomes(lone().give({ kind: 'propose', request: 1, command: bytes(1) }))).toEqual([
    'notLeader',
  ]);
});

test.each([
  { name: 'three seconds', lose: (node: LoneElection) => node.pass(3_000) },
  { name: 'the link', lose: (node: LoneElection) => node.give({ kind: 'peerReset', peer: B }) },
  { name: 'the leader', lose: (node: LoneElection) => node.heartbeat(C, 3) },
])('E13: a forwarded proposal is unknown after losing $name', ({ lose }) => {
  // A learner, so that no campaign of its own comes in between.
  const group: GroupConfig = { voters: [B, C], votersOutgoing: [], learners: [SELF] };
  const node = lone({ group });
  node.heartbeat(B, 2);
  const asked = node.give({ kind: 'propose', request: 1, command: bytes(1) });
  const [forwarded] = sent(asked);
  expect(forwarded).toMatchObject({ to: B, body: { type: 'propose' } });
  expect(outcomes(lose(node))).toEqual(['unknown']);
  // The answer that comes after all changes nothing.
  const request = forwarded?.body.type === 'propose' ? forwarded.body.request : 0;
  const outcome = { kind: 'committed', index: at(2) } as const;
  expect(node.hear(B, { type: 'proposeResp', term: 2, request, outcome })).toEqual([]);
});

test('E13: a frame that arrives twice is one proposal', () => {
  const node = lone().leadWith();
  const before = node.status.lastIndex;
  const said = { type: 'propose', term: 2, request: 77, command: bytes(1) } as const;
  node.hear(B, said);
  expect(node.hear(B, said)).toEqual([]);
  node.hear(C, said);
  expect(node.status.lastIndex).toBe(before + 2);
});

test('E13: what would wait without end is refused', () => {
  const full = lone({ config: { pendingMax: 1 } }).leadWith();
  full.give({ kind: 'propose', request: 1, command: bytes(1) });
  expect(outcomes(full.give({ kind: 'propose', request: 2, command: bytes(2) }))).toEqual([
    'overloaded',
  ]);
  const heavy = lone({ config: { uncommittedBytesMax: 100 } }).leadWith();
  heavy.give({ kind: 'propose', request: 1, command: new Uint8Array(90) });
  expect(outcomes(heavy.give({ kind: 'propose', request: 2, command: bytes(2) }))).toEqual([
    'overloaded',
  ]);
});

test('E14: a lost chunk is sent again, and a mixed one is not taken', () => {
  const group: GroupConfig = { ...THREE, learners: [D] };
  const leader = lone({ group, config: { snapshotChunkBytes: 2, trailingEntries: 0 } }).leadWith();
  // The learner was never heard, and what it may lack is gone from the log now.
  const first = leader.give({ kind: 'compact', index: at(2), state: bytes(1, 2, 3) });
  expect(sent(first)).toContainEqual({
    to: D,
    body: expect.objectContaining({ type: 'snapshotChunk', offset: 0 }),
  });
  leader.pass(300);
  leader.hear(B, { type: 'heartbeatResp', term: 2, readRound: 0 });
  leader.pass(400);
  const again = leader.hear(D, { type: 'heartbeatResp', term: 2, readRound: 0 });
  expect(sent(again)).toMatchObject([{ body: { type: 'snapshotChunk', offset: 0 } }]);
  const answer = { lastIndex: at(2), nextOffset: 2, installed: false };
  const next = leader.hear(D, { type: 'snapshotResp', term: 2, ...answer });
  expect(sent(next)).toMatchObject([{ body: { offset: 2, totalBytes: 3 } }]);
});

function chunk(term: number, offset: number, part: Uint8Array) {
  const where = { ...last(5, 2), config: THREE, offset, totalBytes: 3 };
  return { type: 'snapshotChunk', term, ...where, bytes: part } as const;
}

test('E14: a snapshot is put together in order, from one leader', () => {
  const node = lone({ outsider: true });
  node.hear(B, chunk(2, 0, bytes(1, 2)));
  // A late one of the same leader, then one of another leader: both begin nothing new here.
  expect(sent(node.hear(B, chunk(2, 0, bytes(9, 9))))).toMatchObject([]);
  node.sync();
  const other = node.hear(C, chunk(3, 2, bytes(9)));
  expect(other.some((effect) => effect.kind === 'restored')).toBe(false);
  node.hear(C, chunk(3, 0, bytes(4, 5)));
  const done = node.hear(C, chunk(3, 2, bytes(6)));
  expect(done.find((effect) => effect.kind === 'restored')).toMatchObject({
    snapshot: { index: 5, term: 2, state: bytes(4, 5, 6) },
  });
  expect(sent(node.sync()).at(-1)).toMatchObject({ body: { installed: true, nextOffset: 3 } });
  expect(node.status).toMatchObject({ commit: 5, lastIndex: 5, role: 'follower' });
});

test('E15: the target is told once it has everything, and proposals wait outside', () => {
  const node = lone().leadWith();
  node.give({ kind: 'propose', request: 1, command: bytes(1) });
  node.sync();
  const begun = node.give({ kind: 'transfer', request: 2, to: C });
  expect(sentTypes(begun)).not.toContain('timeoutNow');
  expect(node.status.transferTarget).toBe(C);
  expect(outcomes(node.give({ kind: 'propose', request: 3, command: bytes(3) }))).toEqual([
    'overloaded',
  ]);
  expect(sent(node.accept(C)).at(-1)).toMatchObject({ to: C, body: { type: 'timeoutNow' } });
  const asked = node.hear(C, vote(3, 3, 2, true));
  expect(events(asked)).toContain('coordinator.steppedDown transferred');
  const known = node.heartbeat(C, 3);
  expect(known).toContainEqual({ kind: 'transferred', request: 2, to: C, problem: undefined });
});

test('E15: a hand-over that does not happen is over after 1.5 s, and the leader goes on', () => {
  const node = lone().leadWith();
  node.give({ kind: 'transfer', request: 2, to: C });
  const effects: ElectionEffect[] = [];
  for (let beat = 0; beat < 6; beat += 1) {
    effects.push(...node.pass(300));
    node.hear(B, { type: 'heartbeatResp', term: 2, readRound: 0 });
  }
  expect(effects).toContainEqual({ kind: 'transferred', request: 2, to: C, problem: 'timeout' });
  expect(outcomes(node.give({ kind: 'propose', request: 3, command: bytes(3) }))).toEqual([]);
});

test.each([
  { name: 'a follower', node: () => lone(), to: B, problem: 'notLeader' },
  { name: 'to a stranger', node: () => lone().leadWith(), to: D, problem: 'notVoter' },
  { name: 'to nobody in reach', node: () => lone().lead(), to: undefined, problem: 'noCandidate' },
])('E15: a transfer is refused with $problem: $name', ({ node, to, problem }) => {
  const effects = node().give({ kind: 'transfer', request: 1, to });
  expect(effects).toMatchObject([{ kind: 'transferred', problem }]);
});

test('E16: another life of the group is not heard', () => {
  const node = lone();
  const groupEpoch = 2 as GroupEpoch;
  expect(node.hear(B, { ...vote(9), groupEpoch })).toEqual([]);
  const beat = { type: 'heartbeat', term: 9, commit: at(1), readRound: 0 } as const;
  expect(node.hear(B, { ...beat, groupEpoch })).toEqual([]);
  expect(node.status.term).toBe(1);
});

test('E16: a node without a group joins the one whose leader speaks to it, and no other', () => {
  const node = lone({ outsider: true });
  expect(node.hear(B, vote(5))).toEqual([]);
  expect(node.status.role).toBe('outsider');
  const effects = node.heartbeat(B, 5);
  expect(effects[0]).toMatchObject({
    kind: 'store',
    operations: [{ key: 'raft/snapshot' }, { key: 'raft/hard' }],
  });
  expect(node.status).toMatchObject({ term: 5, leader: B });
});

test('E18: after a stall a node listens before it campaigns', () => {
  const node = lone();
  node.heartbeat(B, 2);
  node.now += 5_000;
  node.give({ kind: 'stalled', stalledMs: 5_000 });
  expect(sentTypes(node.pass(50))).toEqual([]);
  node.heartbeat(B, 2);
  node.pass(1_000);
  expect(node.status.leader).toBe(B);
});

test('E18: a leader that overslept steps down before it reads old answers', () => {
  const node = lone().leadWith();
  node.now += 2_000;
  const effects = node.give({ kind: 'stalled', stalledMs: 2_000 });
  expect(events(effects)).toEqual(['coordinator.steppedDown quorumLost']);
});

test('E18: a leader that only dozed reads its inbox first', () => {
  const node = lone().leadWith();
  node.pass(600);
  node.now += 1_000;
  node.give({ kind: 'stalled', stalledMs: 1_000 });
  node.hear(B, { type: 'heartbeatResp', term: 2, readRound: 0 });
  node.pass(1);
  expect(node.status.role).toBe('leader');
});

test('E19: a follower restored from an older copy regresses, and nothing committed does', () => {
  const node = lone().leadWith();
  expect(node.status.commit).toBe(2);
  const lost = { index: at(2), hintIndex: at(1), hintTerm: 1 as Term };
  const effects = node.hear(B, { type: 'appendResp', term: 2, accepted: false, ...lost });
  expect(sent(effects)).toMatchObject([
    { to: B, body: { type: 'append', previousIndex: 1, entries: [{ index: 2 }] } },
  ]);
  expect(node.status.commit).toBe(2);
});

test('E19: a heartbeat commits only what its leader has compared', () => {
  // The log says 2@1 here, and the leader committed another entry at that index.
  const node = lone({ log: [1], term: 1 });
  const effects = node.heartbeat(B, 2, 2);
  expect(effects.some((effect) => effect.kind === 'committed')).toBe(false);
});

test('E19: an append that contradicts what is committed is refused and told', () => {
  const node = lone();
  node.append(B, { term: 2, behind: [1, 1], entries: [entryOf(2, 2)], commit: 2 });
  node.sync();
  const effects = node.append(C, { term: 3, behind: [1, 1], entries: [entryOf(2, 3)], commit: 2 });
  expect(events(effects)).toContain('log.conflict');
  expect(effects.some((effect) => effect.kind === 'committed')).toBe(false);
  expect(sentTypes(node.sync())).not.toContain('appendResp');
});

test('E20: a learner never campaigns, but answers votes', () => {
  const group: GroupConfig = { voters: [B, C], votersOutgoing: [], learners: [SELF] };
  const node = lone({ group });
  node.heartbeat(B, 2);
  expect(sentTypes(node.pass(20_000))).toEqual([]);
  expect(node.status).toMatchObject({ role: 'learner', leader: undefined });
  node.hear(C, vote(3, 9, 2));
  expect(sent(node.sync()).at(-1)).toMatchObject({ body: { type: 'voteResp', granted: true } });
});

test('E20: a leader outside the committed configuration names a successor and goes', () => {
  const node = lone().leadWith();
  node.accept(C);
  node.give({ kind: 'reconfigure', request: 1, voters: [B, C], learners: [] });
  node.sync();
  node.accept(B);
  node.accept(C);
  expect(node.status.config).toEqual({ voters: [B, C], votersOutgoing: [], learners: [] });
  const effects = [...node.accept(B), ...node.accept(C)];
  expect(events(node.effects)).toContain('coordinator.steppedDown removed');
  expect(sentTypes(node.effects)).toContain('timeoutNow');
  expect(sentTypes(effects).filter((type) => type === 'heartbeat')).toEqual([]);
  expect(node.status.role).toBe('outsider');
  expect(sentTypes(node.pass(20_000))).toEqual([]);
});

test('E20: a node that an uncommitted configuration leaves out may still have to lead', () => {
  const config: GroupConfig = { voters: [B], votersOutgoing: [], learners: [] };
  const node = lone();
  node.append(B, { term: 2, behind: [1, 1], entries: [entryOf(2, 2, { kind: 'config', config })] });
  node.sync();
  expect(node.status.role).toBe('outsider');
  expect(sentTypes(node.pass(3_000))).toContain('preVote');
});

test('E20: who retires never campaigns again', () => {
  const node = lone().leadWith();
  const effects = node.give({ kind: 'retire' });
  expect(sentTypes(effects)).toEqual(['timeoutNow']);
  expect(events(effects)).toEqual(['coordinator.steppedDown retired']);
  expect(sentTypes(node.pass(20_000))).toEqual([]);
});

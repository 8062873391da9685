import { expect, test } from 'vitest';
import { failedResult, LIMITS, operationIdMs, shardOfEntry } from '@memgrid/protocol';
import type { Operation } from '@memgrid/protocol';
import { CALL_DEFAULTS, NOBODY, putOf, SessionRig } from '../testing/session-rig.ts';
import type { SessionRigOptions } from '../testing/session-rig.ts';
import type { Call } from './session-io.ts';

/** A session that is connected to every node. */
function warmRig(options: SessionRigOptions = {}): SessionRig {
  const rig = new SessionRig(options);
  for (let at = 0; at < 40; at += 1) rig.put(`warm${at}`, 1);
  rig.advance(1_000);
  expect(rig.session.status.connected).toHaveLength(rig.grid.nodes.length);
  return rig;
}

function shardOf(key: string, shardCount = 8): number {
  return shardOfEntry({ ...NOBODY, key }, shardCount);
}

/** A key whose shard has this node as its primary. */
function keyAt(rig: SessionRig, primary: number, skip = 0): string {
  for (let at = 0, left = skip; ; at += 1) {
    const key = `key${at}`;
    if (rig.grid.shard(shardOf(key, rig.grid.shardCount)).primary !== primary) continue;
    if (left === 0) return key;
    left -= 1;
  }
}

function sentTo(rig: SessionRig, place: number, since: number): readonly Operation[] {
  return rig.grid.node(place).operations.slice(since);
}

function counts(rig: SessionRig): number[] {
  return rig.grid.nodes.map((node) => node.operations.length);
}

test('Q6: writes and strong reads go to the primary', () => {
  const rig = warmRig();
  const before = counts(rig);
  const key = keyAt(rig, 1);
  rig.put(key, 1);
  rig.get(key, { read: 'strong' });
  rig.advance(50);
  expect(sentTo(rig, 1, before[1] as number)).toHaveLength(2);
  expect(counts(rig)[0]).toBe(before[0]);
});

test('Q6: other reads are spread over the replicas, by how long they take', () => {
  const rig = warmRig();
  rig.latencyMs[2] = 50;
  for (let at = 0; at < 60; at += 1) {
    rig.get(`other${at % 7}`, { read: 'quorum' });
    rig.advance(10);
  }
  rig.advance(500);
  const before = counts(rig);
  for (let at = 0; at < 300; at += 1) {
    rig.get(`other${at % 7}`, { read: 'quorum' });
    rig.advance(10);
  }
  const [a = 0, b = 0, c = 0] = counts(rig).map(
    (count, place) => count - (before[place] as number),
  );
  expect(a + b).toBeGreaterThan(280);
  expect(c).toBeLessThan(20);
});

test('Q6: a replica that was slow and has recovered is asked again', () => {
  const rig = warmRig();
  rig.latencyMs[2] = 50;
  for (let at = 0; at < 200; at += 1) {
    rig.get(`other${at % 7}`, { read: 'quorum' });
    rig.advance(10);
  }
  rig.latencyMs[2] = 0.1;
  for (let at = 0; at < 4_000; at += 1) {
    rig.get(`other${at % 7}`, { read: 'quorum' });
    rig.advance(10);
  }
  const before = counts(rig);
  for (let at = 0; at < 300; at += 1) {
    rig.get(`other${at % 7}`, { read: 'quorum' });
    rig.advance(10);
  }
  expect((counts(rig)[2] as number) - (before[2] as number)).toBeGreaterThan(100);
});

test('Q1: a token that was given before any node was reached counts from the first read on', () => {
  const writer = warmRig();
  const rig = new SessionRig();
  rig.push({ kind: 'atLeast', token: writer.session.token });
  rig.advance(100);
  expect(rig.session.token).toBe(writer.session.token);
});

test('Q6: without a connection to the primary, whoever is connected forwards', () => {
  const rig = new SessionRig({ nodes: 3, seeds: ['n0:7700'] });
  rig.down.add(1);
  rig.advance(50);
  const call = rig.put(keyAt(rig, 1), 1);
  rig.advance(50);
  expect(rig.outcomes.get(call)).toMatchObject({ kind: 'answered', node: rig.grid.node(0).id });
});

test('Q6: right after a write, a read asks somebody who has it', () => {
  const rig = warmRig();
  for (const node of rig.grid.nodes) node.lag = 1;
  for (let at = 0; at < 30; at += 1) {
    const key = `fresh${at}`;
    rig.put(key, at);
    rig.advance(10);
    const get = rig.get(key);
    rig.advance(10);
    expect(rig.valueOf(get)).toBe(at);
  }
});

test('Q9: all calls of one turn to one node leave in one message', () => {
  const rig = warmRig();
  const messages = rig.grid.nodes.map((node) => node.received.length);
  const calls = Array.from({ length: 500 }, (_, at): Call => ({
    call: 10_000 + at,
    body: putOf(`turn${at}`, 1),
    scope: NOBODY,
    options: CALL_DEFAULTS,
  }));
  rig.push({ kind: 'calls', calls });
  rig.advance(1);
  rig.grid.nodes.forEach((node, place) => {
    const received = node.received
      .slice(messages[place])
      .filter(({ type }) => type === 'operations');
    expect(received).toHaveLength(1);
  });
});

test('Q9: what is too much for one message leaves in several, within the limits', () => {
  const rig = warmRig({ nodes: 1 });
  rig.grid.node(0).received.length = 0;
  rig.grid.windowBytes = 64 * 1024 * 1024;
  rig.kill(0);
  rig.revive(0);
  rig.advance(5_000);
  const entry = new Uint8Array(100_000);
  const calls = Array.from({ length: 2_000 }, (_, at): Call => ({
    call: 10_000 + at,
    body: { ...putOf(`turn${at}`, 1), ...(at % 100 === 0 ? { entry } : {}) } as Call['body'],
    scope: NOBODY,
    options: CALL_DEFAULTS,
  }));
  rig.push({ kind: 'calls', calls });
  rig.advance(1);
  const sizes = rig.grid
    .node(0)
    .received.flatMap((it) => (it.type === 'operations' ? it.operations.length : []));
  expect(sizes.length).toBeGreaterThan(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(LIMITS.operationsMax);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2_000);
});

test('Q10: a write that is sent again has the same operation id, made from the time of the cluster', () => {
  const rig = warmRig();
  const key = keyAt(rig, 1);
  const shard = shardOf(key);
  const before = counts(rig);
  rig.grid.node(1).gate = () => 'silence';
  const call = rig.put(key, 7);
  rig.advance(10);
  rig.kill(1);
  rig.grid.moveShard(shard, 2);
  rig.tellPlacement(0);
  rig.tellPlacement(2);
  rig.advance(2_000);
  const sent = rig.grid.nodes.flatMap((_, place) => sentTo(rig, place, before[place] as number));
  const ids = new Set(sent.map((operation) => operation.operationId));
  expect(sent.length).toBeGreaterThan(1);
  expect(ids.size).toBe(1);
  const [id = ''] = ids;
  expect(Math.abs((operationIdMs(id) ?? 0) - 1_700_000_000_000)).toBeLessThan(60_000);
  expect(rig.outcomes.get(call)).toMatchObject({ kind: 'answered', operationId: id });
});

test('Q4: a write whose answer never came is unknown, one that never left is certainly not applied', () => {
  const rig = warmRig({ nodes: 1 });
  rig.grid.node(0).gate = () => 'silence';
  const silent = rig.put('a', 1, { timeoutMs: 800 });
  const read = rig.get('a', { timeoutMs: 800 });
  rig.advance(900);
  expect(rig.outcomes.get(silent)).toMatchObject({
    kind: 'failed',
    code: 'TIMEOUT',
    applied: 'unknown',
  });
  expect(rig.outcomes.get(read)).toMatchObject({ kind: 'failed', code: 'TIMEOUT', applied: 'no' });
  rig.kill(0);
  const away = rig.put('a', 1, { timeoutMs: 800 });
  rig.advance(900);
  expect(rig.outcomes.get(away)).toMatchObject({
    kind: 'failed',
    code: 'NOT_CONNECTED',
    applied: 'no',
  });
});

test('Q4: a refusal of a later attempt does not speak for one that may still arrive', () => {
  const rig = warmRig();
  const key = keyAt(rig, 1);
  rig.grid.node(1).gate = () => 'silence';
  const conflict = (): ReturnType<typeof failedResult> =>
    failedResult('VERSION_CONFLICT', { current: undefined });
  rig.grid.node(0).gate = conflict;
  rig.grid.node(2).gate = conflict;
  const call = rig.put(key, 1);
  rig.advance(10);
  rig.kill(1);
  rig.advance(100);
  expect(rig.outcomes.get(call)).toMatchObject({
    kind: 'failed',
    code: 'VERSION_CONFLICT',
    applied: 'unknown',
    result: { applied: 'unknown' },
  });
});

test('Q4: an only attempt that was refused is certainly not applied', () => {
  const rig = warmRig();
  for (const node of rig.grid.nodes)
    node.gate = () => failedResult('VERSION_CONFLICT', { current: undefined });
  const call = rig.put('a', 1);
  rig.advance(50);
  expect(rig.outcomes.get(call)).toMatchObject({ code: 'VERSION_CONFLICT', applied: 'no' });
});

test('Q11: told who the primary is, a call goes there at once', () => {
  const rig = warmRig();
  const key = keyAt(rig, 1);
  const hint = rig.grid.node(2).id;
  rig.grid.node(1).gate = ({ shard }) => failedResult('NOT_PRIMARY', { shard, hint }, { hint });
  const call = rig.put(key, 1);
  rig.advance(5);
  expect(rig.outcomes.get(call)).toMatchObject({ kind: 'answered', node: hint });
});

test('Q3: whoever waited in vain is told about the shard, and not where to go', () => {
  const rig = warmRig();
  const hint = rig.grid.node(2).id;
  for (const node of rig.grid.nodes)
    node.gate = ({ shard }) => failedResult('NOT_PRIMARY', { shard, hint }, { hint });
  const call = rig.put(keyAt(rig, 1), 1, { timeoutMs: 700 });
  rig.advance(800);
  expect(rig.outcomes.get(call)).toMatchObject({
    code: 'SHARD_UNAVAILABLE',
    applied: 'no',
    message: expect.stringMatching(
      /^Shard \d+ is not available: its primary \w+ did not answer\.$/,
    ),
  });
});

test('Q11: what may be tried later is, after a pause, until the deadline', () => {
  const rig = warmRig({ nodes: 1 });
  let refusals = 0;
  rig.grid.node(0).gate = ({ shard }) => {
    refusals += 1;
    return refusals < 4
      ? failedResult('SHARD_UNAVAILABLE', { shard, problem: 'x' }, { applied: 'no' })
      : undefined;
  };
  const call = rig.put('a', 1);
  rig.advance(3);
  expect(refusals).toBe(1);
  rig.advance(1_000);
  expect(rig.outcomes.get(call)?.kind).toBe('answered');
  refusals = -1_000;
  const hopeless = rig.put('b', 1, { timeoutMs: 700 });
  rig.advance(800);
  expect(rig.outcomes.get(hopeless)).toMatchObject({ code: 'SHARD_UNAVAILABLE', applied: 'no' });
});

test('Q11: what never helps is not tried again', () => {
  const rig = warmRig({ nodes: 1 });
  const before = counts(rig);
  rig.grid.node(0).gate = () => failedResult('BAD_REQUEST', { problem: 'No.' });
  rig.put('a', 1);
  rig.advance(5_000);
  expect(counts(rig)[0]).toBe((before[0] as number) + 1);
});

test('Q11: a cluster that refuses everything gets little more than the calls themselves', () => {
  const rig = warmRig();
  const before = counts(rig).reduce((sum, count) => sum + count, 0);
  for (const node of rig.grid.nodes)
    node.gate = () => failedResult('OVERLOADED', { waiting: 1, max: 1 });
  const calls = 10_000;
  for (let at = 0; at < calls; at += 1) {
    rig.get(`k${at}`, { read: 'strong' });
    if (at % 10 === 0) rig.advance(10);
  }
  rig.advance(10_000);
  const sent = counts(rig).reduce((sum, count) => sum + count, 0) - before;
  // A tenth, ten a second for twenty seconds, and what was saved up.
  expect(sent).toBeLessThan(calls * 1.1 + 200 + 100 + 10);
  expect(rig.outcomes.size).toBe(40 + calls);
});

test('Q11: calls that wait for a primary go when there is one, whatever the budget says', () => {
  const rig = warmRig({ config: { retryShare: 0, retriesPerSecondMin: 1e-6 } });
  const key = keyAt(rig, 1);
  const shard = shardOf(key);
  for (const node of rig.grid.nodes) {
    node.gate = (operation) =>
      operation.shard === shard && rig.grid.shard(shard).epoch === 1
        ? failedResult('SHARD_UNAVAILABLE', { shard, problem: 'No primary.' }, { applied: 'no' })
        : undefined;
  }
  const calls = Array.from({ length: 500 }, () => rig.put(key, 3));
  rig.advance(2_000);
  expect(calls.filter((call) => rig.outcomes.has(call))).toEqual([]);
  rig.grid.moveShard(shard, 2);
  rig.tellPlacement(0);
  rig.advance(20);
  for (const call of calls) expect(rig.outcomes.get(call)?.kind).toBe('answered');
});

test('Q11: an attempt that takes too long is made elsewhere, and the first answer counts', () => {
  const rig = warmRig();
  const key = keyAt(rig, 1);
  rig.grid.node(1).gate = () => 'silence';
  const call = rig.put(key, 1, { timeoutMs: 4_000 });
  rig.advance(1_400);
  expect(rig.outcomes.has(call)).toBe(false);
  rig.advance(200);
  expect(rig.outcomes.get(call)?.kind).toBe('answered');
  expect(rig.grid.shard(shardOf(key)).done.size).toBeGreaterThan(0);
});

test('Q11: what waits at others for a primary that hangs goes to the new one as soon as it is known', () => {
  const rig = warmRig();
  const key = keyAt(rig, 1);
  const shard = shardOf(key);
  // The primary hangs, and whoever is asked instead waits for it.
  const hangs = ({ shard: of }: Operation) =>
    of === shard && rig.grid.shard(shard).epoch === 1 ? 'silence' : undefined;
  for (const node of rig.grid.nodes) node.gate = hangs;
  const call = rig.put(key, 1);
  rig.advance(1_700);
  expect(rig.outcomes.has(call)).toBe(false);
  rig.grid.moveShard(shard, 2);
  rig.tellPlacement(0);
  rig.advance(10);
  expect(rig.outcomes.get(call)?.kind).toBe('answered');
});

test('Q12: a slow read is asked of a second replica, once', () => {
  const rig = warmRig();
  for (let at = 0; at < 400; at += 1) {
    rig.get(`warm${at % 40}`, { read: 'quorum' });
    rig.advance(4);
  }
  const before = counts(rig);
  const slow = rig.grid.nodes.reduce((sum, node) => sum + node.operations.length, 0);
  rig.latencyMs.fill(100);
  const call = rig.get('warm1', { read: 'quorum' });
  rig.advance(9);
  expect(rig.events.filter(({ name }) => name === 'call.hedged')).toHaveLength(0);
  rig.advance(50);
  expect(rig.events.filter(({ name }) => name === 'call.hedged')).toHaveLength(1);
  rig.advance(1_000);
  expect(rig.outcomeCounts.get(call)).toBe(1);
  const sent = counts(rig).reduce(
    (sum, count, place) => sum + count - (before[place] as number),
    0,
  );
  expect(sent).toBe(2);
  expect(slow).toBeGreaterThan(0);
});

test('Q12: when everything is slow, second requests stay within their budget', () => {
  const rig = warmRig();
  for (let at = 0; at < 200; at += 1) {
    rig.get(`warm${at % 40}`, { read: 'quorum' });
    rig.advance(4);
  }
  rig.latencyMs.fill(30);
  for (let at = 0; at < 2_000; at += 1) {
    rig.get(`warm${at % 40}`, { read: 'quorum' });
    rig.advance(1);
  }
  const hedges = rig.events.filter(({ name }) => name === 'call.hedged').length;
  expect(hedges).toBeGreaterThan(0);
  expect(hedges).toBeLessThan(2_200 * 0.05 + 11);
});

test('Q12: writes and strong reads are never asked twice for being slow', () => {
  const rig = warmRig();
  rig.latencyMs.fill(200);
  rig.put('warm1', 1);
  rig.get('warm1', { read: 'strong' });
  rig.advance(1_000);
  expect(rig.events.filter(({ name }) => name === 'call.hedged')).toEqual([]);
});

test.each([
  ['calls', { callsMax: 3 }],
  ['bytes', { bytesMax: 1_200 }],
])('Q13: more %s than may wait are refused at once', (_what, config) => {
  const rig = new SessionRig({ nodes: 1, config });
  rig.down.add(0);
  const calls = Array.from({ length: 5 }, (_, at) => rig.put(`k${at}`, 1));
  const refused = calls.filter((call) => rig.outcomes.has(call));
  expect(refused).toEqual(calls.slice(3));
  expect(rig.outcomes.get(refused[0] as number)).toMatchObject({
    code: 'OVERLOADED',
    applied: 'no',
  });
  rig.revive(0);
  rig.advance(4_000);
  for (const call of calls.slice(0, 3)) expect(rig.outcomes.get(call)?.kind).toBe('answered');
  expect(rig.session.status).toMatchObject({ waitingCalls: 0, waitingBytes: 0 });
});

test('Q13: no more is unanswered on a connection than the node allows', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.grid.windowBytes = 10_000;
  rig.advance(50);
  let answering = false;
  rig.grid.node(0).gate = () => (answering ? undefined : 'silence');
  const calls = Array.from({ length: 200 }, (_, at) => rig.put(`k${at}`, 1, { timeoutMs: 1_000 }));
  rig.advance(500);
  const first = rig.grid.node(0).operations.length;
  expect(first).toBeGreaterThan(10);
  expect(first).toBeLessThan(40);
  answering = true;
  rig.advance(600);
  for (const call of calls) expect(rig.outcomeCounts.get(call)).toBe(1);
  expect(rig.session.status).toMatchObject({ waitingCalls: 0, waitingBytes: 0 });
});

test('Q13: calls in line at a node that hangs are answered by another one', () => {
  const rig = new SessionRig({ nodes: 3 });
  rig.grid.windowBytes = 5_000;
  for (let at = 0; at < 40; at += 1) {
    rig.put(`warm${at}`, 1);
    rig.advance(20);
  }
  const hung = 1;
  rig.grid.node(hung).gate = () => 'silence';
  for (const link of rig.linksTo(hung)) rig.mute.add(link);
  const keys = Array.from({ length: 100 }, (_, at) => keyAt(rig, hung, at % 5));
  const calls = keys.map((key) => rig.get(key, { read: 'strong', timeoutMs: 4_500 }));
  rig.advance(4_000);
  const answered = calls.filter((call) => rig.outcomes.get(call)?.kind === 'answered');
  expect(answered.length).toBeGreaterThan(80);
  rig.advance(1_000);
  for (const call of calls) expect(rig.outcomeCounts.get(call)).toBe(1);
});

test('Q13: a socket that does not empty gets nothing more until it does', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(50);
  rig.put('a', 1);
  const [link = 0] = rig.linksTo(0);
  rig.push({ kind: 'pressure', link, bufferedBytes: 5_000_000 });
  const held = rig.put('b', 1);
  rig.advance(100);
  // The first answer made room for one: a single operation always may.
  rig.push({ kind: 'pressure', link, bufferedBytes: 0 });
  rig.advance(100);
  expect(rig.outcomes.get(held)?.kind).toBe('answered');
});

test('Q3: an abandoned call has no outcome, and its answer makes room again', () => {
  const rig = warmRig({ nodes: 1 });
  rig.latencyMs.fill(20);
  const call = rig.put('a', 1);
  rig.push({ kind: 'abort', call });
  expect(rig.session.status).toMatchObject({ waitingCalls: 0, waitingBytes: 0 });
  rig.advance(1_000);
  expect(rig.outcomes.has(call)).toBe(false);
  // What was sent may still happen.
  expect(rig.grid.shard(shardOf('a')).log.some(({ key }) => key === 'a')).toBe(true);
});

test('a key that says no place, without a scope, is refused and sent nowhere', () => {
  const rig = warmRig({ nodes: 1 });
  const before = counts(rig);
  rig.push({
    kind: 'calls',
    calls: [
      {
        call: 999,
        body: { kind: 'get', namespace: 'ns', key: 'mine' },
        scope: undefined,
        options: CALL_DEFAULTS,
      },
    ],
  });
  rig.advance(100);
  expect(rig.outcomes.get(999)).toMatchObject({ code: 'SHARD_UNKNOWN', applied: 'no' });
  expect(counts(rig)).toEqual(before);
});

test('the deadline travels as what is left of it', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.latencyMs.fill(100);
  rig.put('a', 1, { timeoutMs: 2_000 });
  rig.advance(1_000);
  const [operation] = rig.grid.node(0).operations;
  expect(operation?.timeoutMs).toBeLessThanOrEqual(1_700);
  expect(operation?.timeoutMs).toBeGreaterThan(1_000);
});

test('Q2: about a shard that a partial token does not name, the primary is asked once', () => {
  const rig = warmRig({ shardCount: 1024 });
  const other = warmRig({ shardCount: 1024 });
  const keys = Array.from({ length: 1_000 }, (_, at) => `many${at}`);
  for (const key of keys) {
    other.put(key, 1);
    other.advance(3);
  }
  const named = new Set(keys.slice(-300).map((key) => shardOf(key, 1024)));
  const unnamed = keys.find((key) => !named.has(shardOf(key, 1024))) ?? '';
  const levelsOf = (key: string): string[] => {
    const levels = rig.grid.nodes.map((node) =>
      node.operations.filter(({ body }) => body.kind === 'get' && body.key === key),
    );
    return levels.flat().map(({ read }) => read);
  };
  rig.push({ kind: 'atLeast', token: other.session.token });
  for (const key of [unnamed, unnamed, 'many999']) {
    rig.get(key);
    rig.advance(50);
  }
  expect(levelsOf(unnamed).sort()).toEqual(['one', 'strong']);
  // It waits for a place in the log that these nodes never reach, and is asked for as it was.
  expect(new Set(levelsOf('many999'))).toEqual(new Set(['one']));
});

test.each([
  ['was set forward, or this process slept', 8 * 3_600_000],
  ['was set back', -8 * 3_600_000],
])('Q10: the first id that is refused for its age teaches the time: the clock %s', (_why, ms) => {
  const rig = warmRig({ nodes: 1 });
  const nodesNow = rig.session.wallMs(rig.now) + ms;
  rig.grid.setClock(nodesNow);
  rig.grid.node(0).gate = ({ operationId }) => {
    const ageMs = nodesNow - (operationIdMs(operationId) ?? 0);
    if (ageMs > 600_000) return failedResult('OPERATION_EXPIRED', { operationId });
    return ageMs < -60_000 ? failedResult('BAD_REQUEST', { problem: 'Of tomorrow.' }) : undefined;
  };
  const refused = rig.put('a', 1);
  rig.advance(1_000);
  expect(rig.outcomes.get(refused)).toMatchObject({ kind: 'failed' });
  const next = rig.put('a', 2);
  rig.advance(1_000);
  expect(rig.outcomes.get(next)).toMatchObject({ kind: 'answered' });
});

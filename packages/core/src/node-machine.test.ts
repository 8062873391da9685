import { clusterId, encodeCommand, generation, nodeId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { InvariantError } from './assert.ts';
import { prepareForceRecovery } from './node/force-recovery.ts';
import { identityOperation, RECORD_KEYS } from './node/node-records.ts';
import { NodeRig } from './testing/node-rig.ts';

const THREE = ['a:1', 'b:1', 'c:1'];

function rigOf(names: readonly string[], settings: { votersMax?: number } = {}): NodeRig {
  const rig = new NodeRig();
  const seeds = names.slice(0, 3);
  for (const name of names) rig.start(name, { seeds, expect: names.length, ...settings });
  return rig;
}

/** Every node of the rig is a registered member and knows the same coordinator. */
function agrees(rig: NodeRig): boolean {
  const coordinators = new Set<string | undefined>();
  for (const name of rig.nodes.keys()) {
    const { phase, coordinator } = rig.status(name);
    if (phase !== 'member') return false;
    coordinators.add(coordinator);
  }
  return coordinators.size === 1 && !coordinators.has(undefined);
}

function formed(names: readonly string[] = THREE): NodeRig {
  const rig = rigOf(names);
  expect(rig.runUntil(() => agrees(rig), 10_000)).toBe(true);
  return rig;
}

/** The other nodes' settings for a node that comes (again). */
function joining(names: readonly string[] = THREE): { seeds: readonly string[]; expect: number } {
  return { seeds: names, expect: names.length };
}

test('N1: nothing leaves before the generation is durable', () => {
  const rig = rigOf(THREE);
  rig.answersStore = (_node, operations) =>
    !operations.some((operation) => operation.key === RECORD_KEYS.identity);
  rig.run(2_000);
  expect(rig.sent).toEqual([]);
  expect(rig.status('a:1')).toMatchObject({ phase: 'starting' });
  for (const { node, ticket } of rig.unanswered) rig.input(node, { kind: 'stored', ticket });
  rig.answersStore = () => true;
  expect(rig.runUntil(() => agrees(rig), 10_000)).toBe(true);
});

test('N1: every start of a directory has a later generation', () => {
  const rig = formed();
  for (const expected of [2, 3]) {
    rig.start('c:1', joining(), rig.kill('c:1'));
    rig.runUntil(() => agrees(rig), 20_000);
    expect(rig.status('c:1').generation).toBe(expected);
  }
});

test('N2: a founder tells nobody of the cluster before it is on its own disk', () => {
  const rig = rigOf(THREE);
  rig.answersStore = (_node, operations) =>
    !operations.some((operation) => operation.key === 'raft/snapshot');
  rig.run(3_000);
  expect(rig.sent.filter(({ envelope }) => envelope.message.type === 'foundCommit')).toEqual([]);
  expect([...rig.nodes.keys()].map((name) => rig.status(name).clusterId)).toEqual(
    THREE.map(() => undefined),
  );
});

test('N2: a member that missed the founding is told when it comes back', () => {
  const rig = rigOf(THREE);
  const founder = (): string | undefined =>
    rig.sent.find(({ envelope }) => envelope.message.type === 'foundCommit')?.node;
  rig.runUntil(() => founder() !== undefined, 5_000);
  const late = THREE.find((name) => name !== founder()) ?? '';
  const records = rig.kill(late);
  for (const key of [...records.keys()]) if (key.startsWith('raft/')) records.delete(key);
  const identity = { nodeId: rigNode(records), generation: generation(1), clusterId: undefined };
  const operation = identityOperation(identity);
  if (operation.kind === 'put') records.set(operation.key, operation.value);
  rig.start(late, joining(), records);
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
  expect(rig.status(late).election?.config.voters).toHaveLength(3);
});

function rigNode(records: ReadonlyMap<string, Uint8Array>): ReturnType<typeof nodeId> {
  const bytes = records.get(RECORD_KEYS.identity);
  const rig = new NodeRig();
  rig.start('x:1', {}, new Map([[RECORD_KEYS.identity, bytes ?? new Uint8Array()]]));
  return rig.status('x:1').nodeId;
}

test('N3: a change is answered once, from whichever node it is asked', () => {
  const rig = formed();
  for (const [at, name] of THREE.entries()) {
    const command = { kind: 'setLevel', level: at % 2 === 0 ? 'readOnly' : 'normal' } as const;
    rig.request(name, at, { kind: 'propose', command });
  }
  rig.run(4_000);
  expect(rig.replies.map(({ reply }) => reply)).toMatchObject(
    THREE.map(() => ({ kind: 'proposed', outcome: { kind: 'committed' } })),
  );
});

test('N3: a read is answered once, from whichever node it is asked', () => {
  const rig = formed();
  for (const [at, name] of THREE.entries()) rig.request(name, at, { kind: 'readIndex' });
  rig.run(4_000);
  expect(rig.replies.map(({ reply }) => reply.kind)).toEqual(THREE.map(() => 'readable'));
});

test('N3: without a cluster a request fails at once, and says what is missing', () => {
  const rig = new NodeRig();
  rig.start('a:1', { seeds: ['b:1'], expect: 2 });
  rig.run(1_000);
  rig.request('a:1', 1, { kind: 'readIndex' });
  expect(rig.replies).toMatchObject([
    { reply: { kind: 'failed', reason: 'notFounded', detail: 'No answer yet from the seed b:1.' } },
  ]);
});

test('N3: without a majority a request is answered in time', () => {
  const rig = formed();
  const [survivor] = THREE.filter((name) => name !== rig.coordinator());
  for (const name of THREE) if (name !== survivor) rig.kill(name);
  rig.run(5_000);
  const command = { kind: 'setLevel', level: 'readOnly' } as const;
  rig.request(survivor ?? '', 1, { kind: 'propose', command });
  rig.request(survivor ?? '', 2, { kind: 'readIndex' });
  rig.run(5_000);
  expect(new Set(rig.replies.map(({ request }) => request))).toEqual(new Set([1, 2]));
  expect(rig.replies).toHaveLength(2);
});

test('N3: a command that makes no sense is refused with its reason', () => {
  const rig = formed();
  const command = { kind: 'setTargetVoters', count: 4 } as const;
  rig.request('a:1', 1, { kind: 'propose', command });
  expect(rig.replies).toMatchObject([
    { reply: { kind: 'failed', reason: 'invalid', detail: expect.stringMatching(/1, 3, 5, 7/) } },
  ]);
});

test('N3: a hand-over to a node that is known to be dead is refused at once', () => {
  const rig = formed();
  const leader = rig.coordinator() ?? '';
  const victim = THREE.find((name) => name !== leader) ?? '';
  const id = rig.status(victim).nodeId;
  rig.kill(victim);
  rig.run(5_000);
  rig.request(leader, 1, { kind: 'handover', to: id });
  expect(rig.replies).toMatchObject([
    { reply: { kind: 'failed', reason: 'badTarget', detail: 'The chosen successor is dead.' } },
  ]);
});

test('N4: a disk that confirms what was never asked is found at once', () => {
  const rig = formed();
  expect(() => rig.input('a:1', { kind: 'stored', ticket: 99_999 })).toThrow(InvariantError);
});

test('N5: a start registers itself until the registry shows it', () => {
  const rig = formed();
  rig.start('b:1', { ...joining(), zone: 'moved' }, rig.kill('b:1'));
  const shown = (): boolean =>
    rig.status('a:1').control?.members.some((m) => m.zone === 'moved' && m.generation === 2) ??
    false;
  expect(rig.runUntil(shown, 20_000)).toBe(true);
});

test('N5: a node that starts again registers as soon as somebody leads', () => {
  const rig = rigOf(['a:1']);
  const generation = (): number | undefined => {
    const { control, nodeId: self } = rig.status('a:1');
    return control?.members.find((member) => member.nodeId === self)?.generation;
  };
  expect(rig.runUntil(() => agrees(rig), 5_000)).toBe(true);
  rig.start('a:1', { seeds: ['a:1'], expect: 1 }, rig.kill('a:1'));
  expect(rig.runUntil(() => rig.status('a:1').coordinator !== undefined, 5_000)).toBe(true);
  // Not with the next round of its housekeeping: until then no primary of it serves.
  expect(rig.runUntil(() => generation() === 2, 100)).toBe(true);
});

test('N5: nodes beyond the founders join, and those beyond the learners follow by pulling', () => {
  const names = Array.from({ length: 24 }, (_, at) => `n${at}:1`);
  const rig = formed(names.slice(0, 5));
  for (const name of names.slice(5)) rig.start(name, joining(names.slice(0, 3)));
  const settled = (): boolean =>
    agrees(rig) && (rig.status('n0:1').election?.config.learners.length ?? 0) === 16;
  expect(rig.runUntil(settled, 120_000)).toBe(true);
  const outsiders = names.filter((name) => rig.status(name).election === undefined);
  expect(outsiders).toHaveLength(3);
  rig.request(outsiders[0] ?? '', 1, {
    kind: 'propose',
    command: { kind: 'setLevel', level: 'readOnly' },
  });
  rig.request(outsiders[1] ?? '', 2, { kind: 'readIndex' });
  rig.run(3_000);
  expect(rig.replies.map(({ reply }) => reply.kind).toSorted()).toEqual(['proposed', 'readable']);
  const levels = names.map((name) => rig.status(name).control?.level);
  expect(new Set(levels)).toEqual(new Set(['readOnly']));
}, 60_000);

test('N6: a leaving coordinator hands over first, and nobody suspects it', () => {
  const rig = formed();
  const leaving = rig.coordinator() ?? '';
  rig.input(leaving, { kind: 'shutdown' });
  rig.runUntil(() => rig.halted(leaving) !== undefined, 5_000);
  expect(rig.halted(leaving)?.code).toBe('left');
  const left = rig.kill(leaving);
  rig.run(200);
  expect(rig.coordinator()).toBeDefined();
  expect(rig.events.map(({ event }) => event.name)).not.toContain('member.suspected');
  rig.start(leaving, joining(), left);
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
});

test('N6: a leaving node answers what still waits', () => {
  const rig = formed();
  const [follower] = THREE.filter((name) => name !== rig.coordinator());
  for (const name of THREE) if (name !== follower) rig.kill(name);
  rig.request(follower ?? '', 1, { kind: 'readIndex' });
  rig.input(follower ?? '', { kind: 'shutdown' });
  // Nobody is left who could take its shards over, and that has to end too.
  rig.run(3_000);
  expect(rig.halted(follower ?? '')?.code).toBe('left');
  expect(rig.replies.map(({ request }) => request)).toEqual([1]);
});

test('N7: a failed write stops the node', () => {
  const rig = formed();
  rig.input('a:1', { kind: 'storeFailed', ticket: 1, problem: 'EIO' });
  expect(rig.halted('a:1')).toMatchObject({ code: 'storeFailed' });
  expect(rig.status('a:1').phase).toBe('halted');
});

test('N7: a copy of a directory stops, the original goes on', () => {
  const rig = formed();
  const copy = new Map(rig.nodes.get('a:1')?.records);
  rig.start('copy:1', joining(), copy);
  rig.runUntil(() => rig.halted('copy:1') !== undefined, 30_000);
  expect(rig.halted('copy:1')?.code).toBe('identityInUse');
  expect(rig.halted('a:1')).toBeUndefined();
});

test('N7: a directory of another cluster than all seeds is refused', () => {
  const rig = formed();
  const foreign = clusterId('f'.repeat(32));
  const identity = {
    nodeId: nodeId('9'.repeat(32)),
    generation: generation(3),
    clusterId: foreign,
  };
  const operation = identityOperation(identity);
  const records = new Map<string, Uint8Array>();
  if (operation.kind === 'put') records.set(operation.key, operation.value);
  rig.start('stranger:1', joining(), records);
  rig.runUntil(() => rig.halted('stranger:1') !== undefined, 5_000);
  expect(rig.halted('stranger:1')).toMatchObject({
    code: 'wrongCluster',
    detail: expect.stringMatching(/belongs to cluster ffffffff/),
  });
});

test('N7: an expelled node stops, also when it comes back', () => {
  const rig = formed();
  const [victim] = THREE.filter((name) => name !== rig.coordinator());
  const id = rig.status(victim ?? '').nodeId;
  const command = { kind: 'setStatus', nodeId: id, status: 'expelled' } as const;
  expect(encodeCommand(command)).toBeInstanceOf(Uint8Array);
  rig.request(rig.coordinator() ?? '', 1, { kind: 'propose', command });
  rig.runUntil(() => rig.halted(victim ?? '') !== undefined, 5_000);
  expect(rig.halted(victim ?? '')?.code).toBe('expelled');
  rig.start(victim ?? '', joining(), rig.kill(victim ?? ''));
  rig.runUntil(() => rig.halted(victim ?? '') !== undefined, 5_000);
  expect(rig.halted(victim ?? '')?.code).toBe('expelled');
});

test('N7: a damaged record is named before the node does anything', () => {
  const rig = new NodeRig();
  const records = new Map([[RECORD_KEYS.identity, new Uint8Array([1, 2, 3])]]);
  expect(() => rig.start('a:1', {}, records)).toThrow('The record "node/identity" is damaged.');
});

test('N8: members without a vote come back to a recovered group', () => {
  const names = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1', 'g:1'];
  const rig = rigOf(names, { votersMax: 3 });
  expect(rig.runUntil(() => agrees(rig), 10_000)).toBe(true);
  const voters = rig.status('a:1').election?.config.voters ?? [];
  const lost = names.filter((name) => voters.includes(rig.status(name).nodeId));
  const others = names.filter((name) => !lost.includes(name));
  for (const name of lost) rig.kill(name);
  rig.run(5_000);
  const survivor = others[0] ?? '';
  const records = rig.kill(survivor);
  for (const operation of prepareForceRecovery(records).operations) {
    if (operation.kind === 'put') records.set(operation.key, operation.value);
    else records.delete(operation.key);
  }
  rig.start(survivor, { ...joining(others.slice(1)), votersMax: 3 }, records);
  const recovered = (): boolean =>
    agrees(rig) && rig.status(survivor).election?.config.voters.length === 3;
  expect(rig.runUntil(recovered, 60_000)).toBe(true);
  for (const name of others) expect(rig.status(name).control?.groupEpoch).toBe(2);
}, 60_000);

test('N2: a founding that only one disk holds survives a crash of everybody', () => {
  const rig = rigOf(THREE);
  const founded = (): boolean =>
    [...rig.nodes.values()].some(({ records }) => records.has('raft/snapshot'));
  // Nobody confirms the founding itself, so the founder cannot tell the others.
  rig.answersStore = (_node, operations) =>
    !operations.some((operation) => operation.key === 'raft/snapshot');
  expect(rig.runUntil(founded, 5_000)).toBe(true);
  const directories = THREE.map((name) => [name, rig.kill(name)] as const);
  rig.answersStore = () => true;
  for (const [name, records] of directories) rig.start(name, joining(), records);
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
  for (const name of THREE) expect(rig.status(name).election?.config.voters).toHaveLength(3);
});

test('N9: a node that met the founders too late for their plan learns of the cluster', () => {
  const rig = new NodeRig();
  rig.answersStore = (_node, operations) =>
    !operations.some((operation) => operation.key === 'founding/plan');
  for (const name of THREE) rig.start(name, joining());
  rig.run(1_000);
  rig.start('d:1', joining());
  rig.run(1_000);
  rig.answersStore = () => true;
  for (const { node, ticket } of rig.unanswered) rig.input(node, { kind: 'stored', ticket });
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
  expect(rig.status('a:1').control?.members).toHaveLength(4);
});

test('N9: a seed that restarts is found again by those who wait for more', () => {
  const rig = new NodeRig();
  for (const name of ['a:1', 'b:1']) rig.start(name, { seeds: ['a:1'], expect: 3 });
  rig.run(2_000);
  rig.start('a:1', { seeds: ['a:1'], expect: 3 }, rig.kill('a:1'));
  rig.start('c:1', { seeds: ['a:1'], expect: 3 });
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
});

test('K3: the first bound of a start is on disk before anything is stamped', () => {
  const rig = rigOf(THREE);
  rig.answersStore = () => false;
  rig.run(100);
  expect(rig.sent).toEqual([]);
  for (const name of THREE) {
    expect(rig.unanswered.filter(({ node }) => node === name)).toHaveLength(1);
    expect(rig.nodes.get(name)?.records.has(RECORD_KEYS.clockBound)).toBe(true);
  }
});

test('N3: a node that stops for good answers what waits, and what comes later', () => {
  const rig = formed();
  const [follower] = THREE.filter((name) => name !== rig.coordinator());
  const name = follower ?? '';
  for (const other of THREE) if (other !== name) rig.kill(other);
  rig.request(name, 1, { kind: 'readIndex' });
  rig.request(name, 2, { kind: 'propose', command: { kind: 'setLevel', level: 'readOnly' } });
  rig.input(name, { kind: 'storeFailed', ticket: 1, problem: 'EIO' });
  rig.request(name, 3, { kind: 'readIndex' });
  expect(rig.replies.map(({ request }) => request).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
});

test('N7: the halt is the last thing that a node does', () => {
  const rig = formed();
  const { machine } = rig.nodes.get('a:1') ?? {};
  rig.answersStore = () => false;
  const input = { kind: 'request', request: 1, body: { kind: 'readIndex' } } as const;
  const before = machine?.step(rig.now, input) ?? [];
  const after = machine?.step(rig.now, { kind: 'storeFailed', ticket: 1, problem: 'EIO' }) ?? [];
  const kinds = [...before, ...after].map((effect) => effect.kind);
  expect(kinds.filter((kind) => kind === 'reply')).toHaveLength(1);
  expect(kinds.at(-1)).toBe('halt');
});

test('N5: a node that may not register says why and does not fill the log', () => {
  const rig = new NodeRig();
  for (const name of THREE) rig.start(name, { ...joining(), features: ['lanes'] });
  expect(rig.runUntil(() => agrees(rig), 10_000)).toBe(true);
  for (const [request, state] of (['allowed', 'on'] as const).entries()) {
    const command = { kind: 'setFeature', name: 'lanes', state } as const;
    rig.request('a:1', request, { kind: 'propose', command });
    rig.run(1_000);
  }
  rig.start('d:1', joining());
  rig.run(10_000);
  const before = rig.status('a:1').control?.index ?? 0;
  rig.run(30_000);
  expect(rig.status('a:1').control?.index).toBe(before);
  expect(rig.status('d:1')).toMatchObject({
    phase: 'joining',
    waitingFor: expect.stringMatching(/lacks the feature "lanes", which is on\.$/),
  });
  const told = rig.events.filter(
    ({ node, event }) => node === 'd:1' && event.name === 'registration.refused',
  );
  expect(told).toHaveLength(1);
});

test('N10: a peer without a cluster has no say in one', () => {
  const rig = formed();
  rig.answersStore = (node, operations) =>
    node !== 'd:1' || !operations.some((operation) => operation.key === RECORD_KEYS.identity);
  rig.start('d:1', joining());
  rig.run(100);
  const [begin] = rig.unanswered;
  rig.input('d:1', { kind: 'stored', ticket: begin?.ticket ?? 0 });
  rig.run(1_000);
  expect(rig.status('d:1')).toMatchObject({ phase: 'discovering', clusterId: undefined });
  const greeting = rig.sent.find(
    ({ node, envelope }) => node === 'd:1' && envelope.message.type === 'hello',
  );
  if (greeting === undefined) throw new Error('The newcomer greeted nobody.');
  const { generation: targetGeneration } = rig.status('a:1');
  const message = { type: 'ping', probe: 1, updates: [] } as const;
  const envelope = { ...greeting.envelope, message, sequence: 1_000, targetGeneration };
  // One of these is its link to this node; a message over any other is in a wrong name.
  const before = rig.sent.length;
  for (let link = -1; link > -200; link -= 1)
    rig.input('a:1', { kind: 'received', link, envelope });
  const refusals = rig.events.flatMap(({ event }) =>
    event.name === 'frame.refused' && event.reason === 'unexpected' ? [event.detail] : [],
  );
  expect(refusals).toContainEqual(expect.stringMatching(/^"ping" from .*in no cluster yet\.$/));
  expect(rig.sent.slice(before)).toEqual([]);
});

test('N12: a cluster that dials a new node, because it knows its address, does not draw it in', () => {
  const rig = formed();
  rig.start('d:1', joining());
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
  rig.kill('d:1');
  rig.start('d:1', { seeds: ['elsewhere:1'], expect: 2 });
  rig.run(40_000);
  expect(rig.status('d:1')).toMatchObject({ phase: 'discovering', clusterId: undefined });
  expect(rig.status('d:1').connectedPeers.length).toBeGreaterThan(0);
});

test('N12: the same node joins when one of the members is its seed', () => {
  const rig = formed();
  rig.start('d:1', joining());
  expect(rig.runUntil(() => agrees(rig), 20_000)).toBe(true);
  rig.kill('d:1');
  rig.start('d:1', { seeds: ['b:1'], expect: 2 });
  expect(rig.runUntil(() => agrees(rig), 60_000)).toBe(true);
});

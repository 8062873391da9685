import { sliceOfEntry, sliceOfId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { parseFieldRule } from './field-template.ts';
import { LineEntries, type LineEntry } from './line-entries.ts';

const RULES = [
  'content={text}',
  'userId={speaker}',
  'runId={conversation}-{session}',
  'metadata.turn={turn}',
].map(parseFieldRule);

function entryOf(
  text: string,
  { number = 7, source = 'turns', rules = RULES, namespace = 'default' } = {},
): LineEntry {
  const entries = new LineEntries({ namespace, source, rules });
  return entries.of({ number, content: { kind: 'text', text }, bytes: 0 });
}

function idOf(made: LineEntry): string {
  return made.kind === 'entry' ? made.entry.id : made.kind;
}

const TURN = '{"conversation":26,"session":1,"speaker":"Ada","turn":"D1:1","text":"Hey!"}';

test('an entry is made of a line by the rules', () => {
  expect(entryOf(TURN)).toMatchObject({
    kind: 'entry',
    entry: { content: 'Hey!', userId: 'Ada', runId: '26-1', metadata: { turn: 'D1:1' } },
  });
});

test('the same line of the same file has the same id, and any other has another', () => {
  const id = idOf(entryOf(TURN));
  expect(idOf(entryOf(TURN))).toBe(id);
  const others = [
    entryOf(TURN.replace('Hey', 'Hi')),
    entryOf(TURN, { number: 8 }),
    entryOf(TURN, { source: 'other' }),
    entryOf(TURN, { namespace: 'other' }),
  ].map(idOf);
  expect(new Set([id, ...others]).size).toBe(5);
});

test('an id carries the place of its owner, and entries of an owner are in the order of the file', () => {
  const address = { namespace: 'default', userId: 'Ada', agentId: '', appId: '', runId: '26-1' };
  expect(sliceOfId(idOf(entryOf(TURN)))).toBe(sliceOfEntry({ ...address, key: '' }));
  const ids = [1, 2, 10, 300].map((number) => idOf(entryOf(TURN, { number })));
  expect(ids.toSorted()).toEqual(ids);
});

test('an id of another namespace keeps everything but its place', () => {
  const id = idOf(entryOf(TURN));
  const line = JSON.stringify({ id, content: 'x', userId: 'Ada', runId: '26-1' });
  expect(idOf(entryOf(line, { rules: [] }))).toBe(id);
  const copied = idOf(entryOf(line, { rules: [], namespace: 'copy' }));
  const owner = { userId: 'Ada', agentId: '', appId: '', runId: '26-1' };
  expect(sliceOfId(copied)).toBe(sliceOfEntry({ namespace: 'copy', ...owner, key: '' }));
  expect([copied.slice(0, 15), copied.slice(18)]).toEqual([id.slice(0, 15), id.slice(18)]);
});

test('entries without an owner are spread', () => {
  const slices = Array.from({ length: 50 }, (_, number) =>
    sliceOfId(idOf(entryOf('{"content":"x"}', { number, rules: [] }))),
  );
  expect(new Set(slices).size).toBeGreaterThan(40);
});

test('without rules a line is what export writes', () => {
  const line = '{"id":"a","content":"x","userId":"ada","version":"1","createdAt":5,"extra":1}';
  expect(entryOf(line, { rules: [] })).toEqual({
    kind: 'entry',
    // What nobody knows is left for the client to refuse, with its path.
    entry: { id: 'a', content: 'x', userId: 'ada', extra: 1 },
  });
});

test.each([
  { line: '', kind: 'blank' },
  { line: '  ', kind: 'blank' },
  { line: '{', kind: 'problem', says: 'no JSON' },
  { line: '[1]', kind: 'problem', says: 'no JSON object' },
  { line: 'null', kind: 'problem', says: 'no JSON object' },
  { line: '{"text":"x"}', kind: 'problem', says: 'userId: the line has no "speaker".' },
])('"$line" is $kind', ({ line, kind, says = '' }) => {
  const made = entryOf(line);
  expect(made.kind).toBe(kind);
  expect(made.kind === 'problem' ? made.problem : '').toContain(says);
});

test.each(['{"content":"x","userId":"\\ud800"}', '{"content":"x","userId":5,"runId":[]}'])(
  '%s is left for the client to refuse',
  (line) => {
    expect(entryOf(line, { rules: [] }).kind).toBe('entry');
  },
);

test('a name from a file reaches no prototype', () => {
  const rules = [parseFieldRule('content=x'), parseFieldRule('metadata.__proto__={a}')];
  const made = entryOf('{"a":{"polluted":true}}', { rules });
  expect(made.kind).toBe('entry');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

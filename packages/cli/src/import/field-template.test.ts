import { expect, test } from 'vitest';
import { parseFieldRule, render } from './field-template.ts';

const LINE = { speaker: 'Ada', session: 3, deep: { a: true }, list: [1, 'x'], nothing: null };

test.each([
  { rule: 'content={speaker}', value: 'Ada' },
  { rule: 'metadata.session={session}', value: 3 },
  { rule: 'runId=s-{session}', value: 's-3' },
  { rule: 'content={speaker} in {session}: {deep.a}', value: 'Ada in 3: true' },
  { rule: 'content={{{speaker}}}', value: '{Ada}' },
  { rule: 'content=no field at all', value: 'no field at all' },
  { rule: 'content=', value: '' },
  { rule: 'metadata.list={list}', value: [1, 'x'] },
  { rule: 'content=[{list}]', value: '[[1,"x"]]' },
  { rule: 'metadata.none={nothing}', value: null },
  { rule: 'content=a{gone?}b', value: 'ab' },
  { rule: 'category={gone?}', value: undefined },
])('$rule gives $value', ({ rule, value }) => {
  expect(render(parseFieldRule(rule), LINE)).toEqual({ kind: 'value', value });
});

test.each([
  'content={gone}',
  'content={speaker.length}',
  'content={constructor}',
  'content=a{deep.b}',
])('%s names the field that the line lacks', (rule) => {
  expect(render(parseFieldRule(rule), LINE).kind).toBe('missing');
});

test.each([
  { rule: 'content', says: 'field=template' },
  { rule: '={text}', says: 'field=template' },
  { rule: 'owner={text}', says: 'none of id, userId' },
  { rule: 'metadata={text}', says: 'metadata.<name>' },
  { rule: 'metadata.a.b={text}', says: 'metadata.<name>' },
  { rule: 'content={text', says: 'brace' },
  { rule: 'content=text}', says: 'brace' },
  { rule: 'content={}', says: 'names no field' },
  { rule: 'content={a..b}', says: 'names no field' },
])('$rule is refused: $says', ({ rule, says }) => {
  expect(() => parseFieldRule(rule)).toThrow(says);
});

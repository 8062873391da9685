import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeValue } from '../codec.ts';
import type { EntryBody, JsonObject } from './entry.ts';
import { entryChecksum } from './entry-checksum.ts';
import { entryBodyField } from './entry-fields.ts';
import { type NewEntry, usualEncodingOf } from './usual-encoding.ts';

const text = fc.oneof(
  fc.stringMatching(/^[ -~]{0,40}$/),
  fc.constantFrom('', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'x'.repeat(256), 'ü', '€😀'),
);
const content = fc.oneof(
  text,
  fc.constantFrom('"\\\n\t\b\f\r\u0001\u001f\u007f', 'x'.repeat(65_535), 'x'.repeat(65_536)),
);
const name = text.map((value) => Array.from(value).slice(0, 60).join(''));
const moment = fc.oneof(
  fc.constantFrom(0, 0x7f, 0x80, 0x100, 0x10000, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.nat(),
);
const entry: fc.Arbitrary<NewEntry> = fc.record({
  userId: text.map((value) => Array.from(value).slice(0, 200).join('')),
  agentId: name,
  appId: fc.constantFrom('', 'app'),
  runId: fc.constantFrom('', 'run'),
  content,
  category: name,
  categories: fc.array(name, { maxLength: 17 }),
  metadata: fc.constantFrom<JsonObject>({}, { b: [1, 'x'], a: { '10': null } }, { a: 'ü' }),
  createdAt: moment,
  updatedAt: moment,
  expiresAt: moment,
  immutable: fc.boolean(),
  schema: fc.constantFrom('', 'note', 'nöte'),
  schemaVersion: fc.constantFrom(0, 1, 300),
});

function whole(one: NewEntry): EntryBody {
  const upstream = { upstreamId: '', upstreamHash: '', upstreamConfirmedAt: 0 };
  const checksum = entryChecksum(one);
  return { ...one, ...upstream, checksum, upstreamState: 'none', superseded: [] };
}

test('D9: an entry that is written in one pass is the one that an encoder writes', () => {
  let written = 0;
  fc.assert(
    fc.property(entry, (one) => {
      const encoding = usualEncodingOf(one);
      if (encoding === undefined) return;
      written += 1;
      const body = whole(one);
      expect(encoding.checksum).toBe(body.checksum);
      expect(Buffer.from(encoding.bytes).equals(encodeValue(entryBodyField, body))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
  // The others are those that hold a letter which is not ASCII.
  expect(written).toBeGreaterThan(100);
});

test('D9: entries that are written one after the other do not share their bytes', () => {
  const [one, other] = fc
    .sample(entry, { numRuns: 400, seed: 7 })
    .map((each) => usualEncodingOf(each))
    .filter((encoding) => encoding !== undefined);
  const before = Buffer.from(one?.bytes as Uint8Array).toString('hex');
  expect(Buffer.from(other?.bytes as Uint8Array).toString('hex')).not.toBe(before);
  expect(Buffer.from(one?.bytes as Uint8Array).toString('hex')).toBe(before);
});

test.each([
  { createdAt: Number.NaN },
  { updatedAt: 0.5 },
  { expiresAt: -1 },
  { schemaVersion: 2 ** 53 },
  { schema: 'a\nb' },
  { schema: 'x'.repeat(65) },
  { content: 'a\0b' },
  { content: '\ud800' },
])('D9: what is no entry is left to the encoder: %j', (mistake) => {
  const plain = { userId: 'u', agentId: '', appId: '', runId: '', content: '', category: '' };
  const dates = { createdAt: 1, updatedAt: 1, expiresAt: 0 };
  const rest = { categories: [], metadata: {}, immutable: false, schema: '', schemaVersion: 0 };
  expect(usualEncodingOf({ ...plain, ...dates, ...rest })).toBeDefined();
  expect(usualEncodingOf({ ...plain, ...dates, ...rest, ...mistake })).toBeUndefined();
});

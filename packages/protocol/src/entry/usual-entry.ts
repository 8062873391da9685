import { LIMITS } from '../limits.ts';
import { HashRoom } from '../placement/hash-room.ts';
import { hash64Of } from '../placement/hash.ts';
import { isPlainName } from '../wire/name-field.ts';
import { hex32 } from '../wire/hex-text.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { idContradictsOwner } from './entry-shard.ts';
import { textProblem } from './json-rules.ts';
import { usualMetadata } from './usual-metadata.ts';
import { usualObject } from './usual-object.ts';

/** An entry as it is sent, and where it belongs. */
export interface WrittenEntry {
  /** Undefined: memgrid makes one. */
  readonly id: string | undefined;
  /** '' when absent, like the next three. */
  readonly userId: string;
  readonly agentId: string;
  readonly appId: string;
  readonly runId: string;
  /** What `validateEntry` would have given; to be sent within moments, because they share memory. */
  readonly bytes: Uint8Array;
}

/** What the caller gave, read once: '' and 0 where nothing was. There has to be a content. */
class Given {
  id: string | undefined = undefined;
  userId = '';
  agentId = '';
  appId = '';
  runId = '';
  content: string | undefined = undefined;
  category = '';
  metadata = '{}';
  expiresAt = 0;
  immutable = false;
}

/**
 * An entry as most of them are, checked and written in one pass: texts of printable ASCII for names,
 * flat metadata, no list of categories and no schema of its own. With any category.
 *
 * Undefined for every other one, and for what is wrong: `validateEntry` takes it all, and says what
 * the matter is. Never throws.
 */
export function writeUsualEntry(
  input: unknown,
  { namespace, nowMs }: { readonly namespace: string; readonly nowMs: number },
): WrittenEntry | undefined {
  const names = usualObject(input);
  if (names === undefined || !isPlainName(namespace, 1, LIMITS.namespaceBytesMax)) return undefined;
  const given = new Given();
  try {
    for (let at = 0; at < names.length; at += 1) {
      const name = names[at] as string;
      // Read once: a getter may answer differently each time.
      const value = (input as Record<string, unknown>)[name];
      if (value !== undefined && !take(given, { name, value, nowMs })) return undefined;
    }
  } catch {
    // A getter threw.
    return undefined;
  }
  const { id, content } = given;
  if (content === undefined || isOutOfPlace(namespace, given)) return undefined;
  const bytes = written(given, content, nowMs);
  if (bytes === undefined) return undefined;
  const { userId, agentId, appId, runId } = given;
  return { id, userId, agentId, appId, runId, bytes };
}

interface OneValue {
  readonly name: string;
  readonly value: unknown;
  readonly nowMs: number;
}

/** False for a value that is not usual. */
function take(given: Given, { name, value, nowMs }: OneValue): boolean {
  switch (name) {
    case 'id':
      if (!isName(value, LIMITS.entryIdBytesMax)) return false;
      given.id = value;
      return true;
    case 'userId':
    case 'agentId':
    case 'appId':
    case 'runId':
      if (!isName(value, LIMITS.scopePartBytesMax)) return false;
      given[name] = value;
      return true;
    case 'content':
      if (typeof value !== 'string') return false;
      given.content = value;
      return true;
    case 'category':
      // Spaces around it would be dropped, which its writer has to hear of.
      if (!isName(value, LIMITS.categoryBytesMax) || value !== value.trim()) return false;
      given.category = value;
      return true;
    case 'metadata': {
      const text = usualMetadata(value);
      if (text === undefined) return false;
      given.metadata = text;
      return true;
    }
    case 'immutable':
      if (typeof value !== 'boolean') return false;
      given.immutable = value;
      return true;
    case 'expiresAt':
      return takeExpiry(given, value, nowMs);
    case 'ttlMs':
      // Added to the present, a small fraction would be rounded away unseen.
      return isMs(value) && takeExpiry(given, nowMs + value, nowMs);
    default:
      return false;
  }
}

function isMs(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isName(value: unknown, bytesMax: number): value is string {
  return isPlainName(value, 1, bytesMax);
}

/** The last moment that a hybrid clock can name. */
const MOMENT_MAX = 2 ** 48 - 1;

function takeExpiry(given: Given, value: unknown, nowMs: number): boolean {
  const isLater = Number.isSafeInteger(value) && (value as number) > nowMs;
  if (!isLater || (value as number) > MOMENT_MAX || given.expiresAt !== 0) return false;
  given.expiresAt = value as number;
  return true;
}

/** An id of memgrid's own that belongs elsewhere. They all are UUIDs. */
function isOutOfPlace(namespace: string, { id, userId, agentId, appId, runId }: Given): boolean {
  if (id?.length !== UUID_LENGTH) return false;
  return idContradictsOwner({ namespace, key: id, userId, agentId, appId, runId });
}

const UUID_LENGTH = 36;
/** The properties of `EntryBody`. */
const FIELDS = 20;
/** Of `UpstreamState`: mem0 knows nothing of it yet. */
const UPSTREAM_NONE = 1;

/** What is gathered to be hashed is hashed at once, so all entries share one. */
const room = new HashRoom();

/** The same bytes as `entryBodyField` writes. Undefined for a content that is not valid. */
function written(given: Given, content: string, nowMs: number): Uint8Array | undefined {
  room.begin();
  room.add('[');
  if (room.addPlainJson(content)) {
    if (content.length > LIMITS.contentBytesMax) return undefined;
  } else {
    if (textProblem(content) !== undefined || content.startsWith('\ufeff')) return undefined;
    if (utf8Bytes(content) > LIMITS.contentBytesMax) return undefined;
    room.add(JSON.stringify(content));
  }
  room.add(',');
  if (!room.addPlainJson(given.category)) room.add(JSON.stringify(given.category));
  room.add(',[]]');
  room.add(given.metadata);
  const { high, low } = hash64Of(room.bytes, room.length);

  const to = new WireWriter();
  to.list(FIELDS);
  to.text(given.userId);
  to.text(given.agentId);
  to.text(given.appId);
  to.text(given.runId);
  to.text(content);
  to.text(given.category);
  to.list(0);
  to.text(given.metadata);
  to.number(nowMs);
  to.number(nowMs);
  to.number(given.expiresAt);
  to.boolean(given.immutable);
  to.text('');
  to.number(0);
  to.text(hex32(high) + hex32(low));
  to.text('');
  to.number(UPSTREAM_NONE);
  to.text('');
  to.number(0);
  to.list(0);
  return to.finishPassing();
}

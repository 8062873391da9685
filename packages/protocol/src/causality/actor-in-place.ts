import { type ActorId, actorId, type NodeId } from '../ids.ts';
import { idFromBytes } from '../wire/id128.ts';
import { countAt } from '../wire/in-place.ts';
import { numberBytes } from '../wire/msgpack.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { actorIdField } from './actor-field.ts';

/** An actor and the bytes in which it travels. */
export interface SeenActor {
  readonly actor: ActorId;
  readonly bytes: Uint8Array;
}

/** A list of two: 16 bytes, and a whole number. */
const HEAD = [0x92, 0xc4, 16] as const;
const EPOCH_AT = HEAD.length + 16;

/**
 * Actors seen lately, by some of their bytes: nearly all dots of a shard are of one primary, so to
 * read an actor is to compare 20 bytes. It changes the price of reading, never its result.
 */
const SLOTS = 64;
const seen: (SeenActor | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

/** The actor whose encoding begins at `at`; undefined for anything that no encoder writes. */
export function actorAt(bytes: Uint8Array, at: number): SeenActor | undefined {
  const mixed = (bytes[at + 3] as number) ^ (bytes[at + 4] as number) ^ (bytes[at + 18] as number);
  const slot = mixed % SLOTS;
  const known = seen[slot];
  if (known !== undefined && begins(bytes, at, known.bytes)) return known;
  const read = readActor(bytes, at);
  if (read !== undefined) seen[slot] = read;
  return read;
}

function readActor(bytes: Uint8Array, at: number): SeenActor | undefined {
  for (let i = 0; i < HEAD.length; i++) if (bytes[at + i] !== HEAD[i]) return undefined;
  const epoch = countAt(bytes, at + EPOCH_AT);
  const end = at + EPOCH_AT + (epoch < 0 ? 0 : numberBytes(epoch));
  if (epoch < 0 || end > bytes.length) return undefined;
  const node = idFromBytes(bytes.subarray(at + HEAD.length, at + EPOCH_AT)) as NodeId;
  // A copy, also of what is a Buffer, whose `slice` is none.
  return { actor: actorId(node, epoch), bytes: new Uint8Array(bytes.subarray(at, end)) };
}

function begins(bytes: Uint8Array, at: number, known: Uint8Array): boolean {
  for (let i = 0; i < known.length; i++) if (bytes[at + i] !== known[i]) return false;
  return true;
}

/** The bytes of actors that write here: their own, and those whose writes it takes over. */
const WRITERS_MAX = 256;
const writers = new Map<ActorId, Uint8Array>();

/** The encoding of an actor. @throws WireError for text that is none. */
export function actorBytes(actor: ActorId): Uint8Array {
  const known = writers.get(actor);
  if (known !== undefined) return known;
  const to = new WireWriter();
  actorIdField.write(actor, to);
  const bytes = to.finish();
  if (writers.size === WRITERS_MAX) writers.clear();
  writers.set(actor, bytes);
  return bytes;
}

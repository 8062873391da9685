import { type ActorId, actorId, type NodeId } from '../ids.ts';
import { type Field, uint } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { struct } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';
import { UNREAD } from '../wire/wire-reader.ts';

interface ActorParts {
  readonly node: NodeId;
  readonly epoch: number;
}

const epochField = uint();
const partsField = struct<ActorParts>({ node: nodeIdField, epoch: epochField });

/** Without leading zeros, so that one actor has one text. */
const ACTOR_ID = /^([0-9a-f]{32})\.(0|[1-9][0-9]{0,15})$/;

/** Text in memory, because it is compared far more often than it travels; 16 bytes and a number. */
export const actorIdField: Field<ActorId> = {
  shape: partsField.shape,
  optional: false,
  toWire: (actor) => partsField.toWire(partsOf(actor)),
  fromWire: (raw) => {
    const { node, epoch } = partsField.fromWire(raw);
    return actorOf(node, epoch);
  },
  bytes: (actor) => partsField.bytes(partsOf(actor)),
  write: (actor, to) => {
    const { node, epoch } = partsOf(actor);
    to.list(2);
    nodeIdField.write(node, to);
    epochField.write(epoch, to);
  },
  read: (from) => {
    if (from.list() !== 2) throw UNREAD;
    return actorOf(nodeIdField.read(from), epochField.read(from));
  },
};

/**
 * Actors seen lately, in both directions: the same few primaries are in every version that travels.
 * They change the price of a conversion, never its result, and are forgotten when they are many.
 */
const SEEN_MAX = 4096;
const seenParts = new Map<ActorId, ActorParts>();
const seenActors = new Map<NodeId, { readonly epoch: number; readonly actor: ActorId }>();

function partsOf(actor: ActorId): ActorParts {
  const known = seenParts.get(actor);
  if (known !== undefined) return known;
  const [, node, epoch] = ACTOR_ID.exec(actor) ?? [];
  if (node === undefined) throw expected('an actor id', actor);
  const parts = { node: node as NodeId, epoch: Number(epoch) };
  if (seenParts.size === SEEN_MAX) seenParts.clear();
  seenParts.set(actor, parts);
  return parts;
}

function actorOf(node: NodeId, epoch: number): ActorId {
  const known = seenActors.get(node);
  if (known?.epoch === epoch) return known.actor;
  const actor = actorId(node, epoch);
  if (seenActors.size === SEEN_MAX) seenActors.clear();
  seenActors.set(node, { epoch, actor });
  return actor;
}

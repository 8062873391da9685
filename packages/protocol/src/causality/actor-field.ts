import { type ActorId, actorId, type NodeId } from '../ids.ts';
import { type Field, uint } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { struct } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';

interface ActorParts {
  readonly node: NodeId;
  readonly epoch: number;
}

const partsField = struct<ActorParts>({ node: nodeIdField, epoch: uint() });

/** Without leading zeros, so that one actor has one text. */
const ACTOR_ID = /^([0-9a-f]{32})\.(0|[1-9][0-9]{0,15})$/;

/** Text in memory, because it is compared far more often than it travels; 16 bytes and a number. */
export const actorIdField: Field<ActorId> = {
  shape: partsField.shape,
  optional: false,
  toWire: (actor) => partsField.toWire(partsOf(actor)),
  fromWire: (raw) => {
    const { node, epoch } = partsField.fromWire(raw);
    return actorId(node, epoch);
  },
  bytes: (actor) => partsField.bytes(partsOf(actor)),
};

function partsOf(actor: ActorId): ActorParts {
  const [, node, epoch] = ACTOR_ID.exec(actor) ?? [];
  if (node === undefined) throw expected('an actor id', actor);
  return { node: node as NodeId, epoch: Number(epoch) };
}

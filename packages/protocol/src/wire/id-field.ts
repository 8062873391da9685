import type { ClusterId, NodeId } from '../ids.ts';
import type { Field } from './field.ts';
import { idFromBytes, idToBytes } from './id128.ts';
import { expected } from './wire-error.ts';

/** 128 bits: 32 lower-case hex digits in memory, 16 bytes on the wire. */
function id128<T extends NodeId | ClusterId>(): Field<T> {
  return {
    shape: 'id128',
    optional: false,
    toWire: idToBytes,
    fromWire: (raw) => {
      if (!(raw instanceof Uint8Array)) throw expected('16 bytes', raw);
      return idFromBytes(raw) as T;
    },
    bytes: () => 18,
    write: (value, to) => to.bytes(idToBytes(value)),
    read: (from) => from.id128() as T,
  };
}

export const nodeIdField: Field<NodeId> = id128();
export const clusterIdField: Field<ClusterId> = id128();

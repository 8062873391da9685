import type { OrphanReply, OrphanStatus } from '@memgrid/core';
import { decodeValue, entryBodyField, formatVersion } from '@memgrid/protocol';

/** `/orphans`: the writes that this node keeps because no log has them. */
export interface OrphansBody {
  readonly answeredBy: string;
  /** All of them; the list may be shorter. */
  readonly parked: number;
  readonly waiting: number;
  /** Those that are parked first. */
  readonly orphans: readonly OrphanBody[];
}

export interface OrphanBody {
  /** Names it on this node. */
  readonly orphan: number;
  readonly shard: number;
  readonly state: OrphanStatus['state'];
  /** Why somebody has to decide; null where nobody has. */
  readonly reason: string | null;
  readonly namespace: string;
  /** The entry's id. */
  readonly id: string;
  readonly kind: OrphanStatus['kind'];
  /** Two nodes that keep the same write name the same version. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  /** Null for never. */
  readonly expiresAt: number | null;
  readonly bytes: number;
  /** The beginning of its content; null for a delete. */
  readonly preview: string | null;
}

const PREVIEW_CHARACTERS = 80;

const PARKED = 'It came after deletes of its time were forgotten: it may have been deleted since.';

export function orphansBody(
  answeredBy: string,
  { orphans, parked, waiting }: Extract<OrphanReply, { kind: 'orphans' }>,
): OrphansBody {
  return { answeredBy, parked, waiting, orphans: orphans.map(orphanBody) };
}

function orphanBody(orphan: OrphanStatus): OrphanBody {
  const { version, expiresAt, entry, key: id, state } = orphan;
  return {
    orphan: orphan.orphan,
    shard: orphan.shard,
    state,
    reason: state === 'parked' ? PARKED : null,
    namespace: orphan.namespace,
    id,
    kind: orphan.kind,
    version: formatVersion(version),
    writtenAt: version.timestamp.ms,
    expiresAt: expiresAt === 0 ? null : expiresAt,
    bytes: orphan.bytes,
    preview: entry.byteLength === 0 ? null : previewOf(entry),
  };
}

function previewOf(entry: Uint8Array): string {
  const { content } = decodeValue(entryBodyField, entry, 'entry');
  // The beginning is enough to tell, and a node keeps thousands of these: a character has two units.
  const characters = [...content.slice(0, 2 * PREVIEW_CHARACTERS + 1)];
  if (characters.length <= PREVIEW_CHARACTERS) return content;
  return `${characters.slice(0, PREVIEW_CHARACTERS - 1).join('')}…`;
}

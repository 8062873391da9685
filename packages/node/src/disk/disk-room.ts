/** How full the disk is for entries. Control records may still be written when it is full. */
export interface DiskRoom {
  readonly usedBytes: number;
  /** Above it no entry is taken any more. */
  readonly maxBytes: number;
}

export interface RoomSources {
  /** What the database takes. */
  readonly usedBytes: number;
  /** The configured limit; 0 for none. */
  readonly bytesMax: number;
  /** What the file system still has. */
  readonly freeBytes: number;
}

/**
 * What the file system must keep free: elections, configurations and the compaction of the
 * database go on when entries are refused, and a failed write stops the node. A control snapshot
 * has at most 64 MiB, and one compaction of LevelDB about as much.
 */
const RESERVE_BYTES = 128 * 1024 * 1024;

/** The smaller of what is allowed and what is there. */
export function diskRoom({ usedBytes, bytesMax, freeBytes }: RoomSources): DiskRoom {
  const there = usedBytes + Math.max(0, freeBytes - RESERVE_BYTES);
  return { usedBytes, maxBytes: bytesMax === 0 ? there : Math.min(bytesMax, there) };
}

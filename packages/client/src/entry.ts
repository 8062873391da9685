import type { JsonObject, SyncClass } from '@memgrid/protocol';

/**
 * What a namespace holds, for the compiler: `grid.namespace<Notes>('notes')`. The cluster checks
 * the same at run time, by the namespace's schema.
 */
export interface EntryShape {
  readonly category: string;
  readonly metadata: JsonObject;
}

/**
 * Whose memory it is. The first of user, agent, application and run that is present decides where
 * an entry lives, so everything of one user can be listed from one node.
 */
export interface Owner {
  readonly userId?: string;
  readonly agentId?: string;
  readonly appId?: string;
  readonly runId?: string;
}

/**
 * Names one entry. An id that memgrid made is enough; an id of your own needs the owner with which
 * the entry was put, because such an id does not tell where the entry lives.
 */
export type EntryRef = string | ({ readonly id: string } & Owner);

/** What `put` stores. */
export interface NewEntry<Shape extends EntryShape = EntryShape> extends Owner {
  /** At most 128 bytes. Left out, memgrid makes one that carries the place of the entry. */
  readonly id?: string;
  /** At most 64 KiB. */
  readonly content: string;
  readonly category?: Shape['category'];
  /** mem0's list of categories: at most 32. */
  readonly categories?: readonly string[];
  /** At most 16 KiB as JSON, at most 32 levels. */
  readonly metadata?: Shape['metadata'];
  /** Milliseconds since 1970; from then on the entry is absent. Not together with `ttlMs`. */
  readonly expiresAt?: number;
  /** The same, counted from now by the cluster's clock. */
  readonly ttlMs?: number;
  /** Later updates are refused; deleting stays possible. */
  readonly immutable?: boolean;
  /** The version of the schema that the writer knows. */
  readonly schema?: SchemaRef;
}

export interface SchemaRef {
  readonly name: string;
  readonly version: number;
}

/**
 * What `update` changes: a JSON merge patch (RFC 7396). What is left out stays; `null` in metadata
 * removes a name, and `expiresAt: null` makes the entry permanent.
 */
export interface EntryPatch<Shape extends EntryShape = EntryShape> {
  readonly content?: string;
  readonly category?: Shape['category'];
  readonly categories?: readonly string[];
  readonly metadata?: MetadataPatch<Shape['metadata']>;
  readonly expiresAt?: number | null;
}

export type MetadataPatch<Metadata> = {
  readonly [Name in keyof Metadata]?: Metadata[Name] extends JsonObject
    ? MetadataPatch<Metadata[Name]> | null
    : Metadata[Name] | null;
};

/** One memory, as it is stored. */
export interface Entry<Shape extends EntryShape = EntryShape> {
  readonly id: string;
  readonly namespace: string;
  readonly userId: string | undefined;
  readonly agentId: string | undefined;
  readonly appId: string | undefined;
  readonly runId: string | undefined;
  readonly content: string;
  readonly category: Shape['category'];
  readonly categories: readonly string[];
  readonly metadata: Shape['metadata'];
  /** Milliseconds since 1970, by the clock of the primary. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Undefined for never. */
  readonly expiresAt: number | undefined;
  readonly immutable: boolean;
  /** Undefined when the namespace has none. */
  readonly schema: SchemaRef | undefined;
  /** Of content, category, categories and metadata. */
  readonly checksum: string;
  readonly upstream: Upstream;
  /** The losing sides of merges, at most 8. */
  readonly superseded: readonly SupersededContent[];
}

/** What mem0 knows of an entry. */
export interface Upstream {
  /** `none`: no mem0 is configured. */
  readonly state: 'none' | 'queued' | 'synced' | 'refused';
  readonly id: string | undefined;
  readonly hash: string | undefined;
  readonly confirmedAt: number | undefined;
}

export interface SupersededContent {
  readonly content: string;
  readonly at: number;
}

/** A write that was carried out. */
export interface Saved {
  readonly id: string;
  /** Opaque; for `ifVersion`. */
  readonly version: string;
  /** Held by a majority of the shard's replicas, or (durability `one`) by the node that took it. */
  readonly acknowledged: 'quorum' | 'local';
  readonly sync: SyncClass;
  /** Taken away from the primary: it is merged when the primary is back. */
  readonly autonomous: boolean;
  /** This operation id had been carried out before; nothing was done again. */
  readonly repeated: boolean;
  /**
   * Whether there was an entry before: false says that a put made a new one, and that a delete
   * found nothing. Undefined where nobody can say: when the write is `repeated` or `autonomous`.
   */
  readonly existed: boolean | undefined;
  readonly operationId: string;
}

/** Where an answer came from: `near` is this process. */
export type FoundSource = 'near' | 'replica' | 'quorum' | 'primary';

/** An entry that was found. */
export interface Found<Shape extends EntryShape = EntryShape> {
  readonly entry: Entry<Shape>;
  readonly version: string;
  readonly source: FoundSource;
  /** How far behind the primary this may be; 0 for `quorum` and `strong`. */
  readonly stalenessMs: number;
  readonly upstream: Upstream['state'];
}

/** An entry in a list. */
export interface Listed<Shape extends EntryShape = EntryShape> {
  readonly entry: Entry<Shape>;
  readonly version: string;
}

/** A page of a list. */
export interface Page<Shape extends EntryShape = EntryShape> {
  readonly items: readonly Listed<Shape>[];
  /** Goes on after this page; undefined at the end. */
  readonly cursor: string | undefined;
  /** Everything that matches has been returned, by this page and those before it. */
  readonly complete: boolean;
  /** The largest of the shards that were asked. */
  readonly stalenessMs: number;
}

export interface Count {
  readonly count: number;
  readonly stalenessMs: number;
}

/** One step in the life of an entry. */
export interface HistoryItem<Shape extends EntryShape = EntryShape> {
  readonly kind: 'put' | 'update' | 'delete';
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Undefined for a delete. */
  readonly entry: Entry<Shape> | undefined;
}

/** The life of an entry, oldest step first, as far as the node that answered remembers it. */
export interface History<Shape extends EntryShape = EntryShape> {
  readonly steps: readonly HistoryItem<Shape>[];
  /** False: older steps existed and are no longer kept. */
  readonly complete: boolean;
}

/** One item of a watch. */
export type WatchItem<Shape extends EntryShape = EntryShape> =
  | {
      readonly kind: 'put' | 'update' | 'delete' | 'expire';
      readonly id: string;
      readonly version: string;
      /** Undefined for `delete` and `expire`. */
      readonly entry: Entry<Shape> | undefined;
      /** Opaque: `since` of a later watch resumes right after this item. */
      readonly position: string;
    }
  | {
      /** Changes were missed here: read again what you rely on. */
      readonly kind: 'gap';
      readonly reason: 'trimmed' | 'slow' | 'moved';
      readonly position: string;
    };

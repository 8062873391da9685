import { isPermitted } from '@memgrid/core';
import type { Clock, Instant, Session } from '@memgrid/core';
import type { EntryRef, EntryShape, Found } from './entry.ts';
import { frozenFound } from './entry-view.ts';
import type { KeptEntries, KeptEntry, LruNearStore } from './lru-near-store.ts';
import { NearMoment } from './near-moment.ts';

/** What all namespaces of a client read the near cache with. */
export class NearSource {
  readonly store: LruNearStore;
  readonly session: Pick<Session, 'permitNear' | 'nearStalenessMs'>;
  readonly clock: Clock;
  readonly moment: NearMoment;

  constructor(store: LruNearStore, session: NearSource['session'], clock: Clock) {
    this.store = store;
    this.session = session;
    this.clock = clock;
    this.moment = new NearMoment(clock);
  }
}

/**
 * One namespace's entries of this process, as the application sees them.
 *
 * A hit is a look into one map and a permit that still holds; what it hands out was made before, is
 * frozen, and is the same for everybody.
 */
export class NearReader {
  readonly #namespace: string;
  readonly #source: NearSource;
  readonly #moment: NearMoment;
  /** None as long as nothing has been kept. */
  #entries: KeptEntries | undefined;
  #draw = 1;

  constructor(namespace: string, source: NearSource) {
    this.#namespace = namespace;
    this.#source = source;
    this.#moment = source.moment;
  }

  /** What may be served now; the clock is read for each stretch of code, not for each hit. */
  peek<Shape extends EntryShape>(ref: EntryRef): Found<Shape> | undefined {
    const kept = this.#find(ref);
    if (kept === undefined) return undefined;
    return this.#serve(kept, this.#moment.now()) as Found<Shape> | undefined;
  }

  /** The same in a promise, which everybody shares who is shown the same. */
  get<Shape extends EntryShape>(ref: EntryRef): Promise<Found<Shape>> | undefined {
    const kept = this.#find(ref);
    if (kept === undefined) return undefined;
    const found = this.#serve(kept, this.#moment.now());
    if (found === undefined) return undefined;
    return (kept.promised ??= Promise.resolve(found)) as Promise<Found<Shape>>;
  }

  /** What may be served now, if it is no older than this. */
  getWithin<Shape extends EntryShape>(
    ref: EntryRef,
    stalenessMsMax: number,
  ): Found<Shape> | undefined {
    const kept = this.#find(ref);
    if (kept === undefined) return undefined;
    const { clock, session } = this.#source;
    const now = clock.now();
    const found = this.#serve(kept, now);
    if (found === undefined || found.stalenessMs <= stalenessMsMax) {
      return found as Found<Shape> | undefined;
    }
    // What is shown counts to the end of the permit.
    const stalenessMs = session.nearStalenessMs(kept, now);
    return stalenessMs > stalenessMsMax ? undefined : ({ ...found, stalenessMs } as Found<Shape>);
  }

  #find(ref: EntryRef): KeptEntry | undefined {
    const entries = (this.#entries ??= this.#source.store.entriesOf(this.#namespace));
    if (entries === undefined) return undefined;
    if (typeof ref === 'string') return this.#look(entries, ref);
    // JavaScript callers have no types; what is wrong with a ref is said by whoever reads on.
    const kept = this.#look(entries, ref?.id);
    return kept === undefined || isOwner(ref, shownOf(this.#namespace, kept)) ? kept : undefined;
  }

  /**
   * One use in eight is noted, because to move an entry to the end of the list of all costs as much as to
   * find it. What is used often is far from its beginning all the same, where entries go first. Which one
   * is drawn: of keys that are read in turn, every eighth would always be the same.
   */
  #look(entries: KeptEntries, id: string): KeptEntry | undefined {
    // The generator of Numerical Recipes (1992), of whose bits the high ones are the better.
    this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) | 0;
    return this.#draw >>> 29 === 0 ? entries.get(id) : entries.peek(id);
  }

  #serve(kept: KeptEntry, now: Instant): Found | undefined {
    if (!isPermitted(kept, now) && !this.#source.session.permitNear(kept, now)) return undefined;
    return kept.isRenewed ? shownOf(this.#namespace, kept) : kept.shown;
  }
}

/** Decoded once; of another permit only the staleness is another. */
function shownOf(namespace: string, kept: KeptEntry): Found {
  const { shown, stalenessMs } = kept;
  kept.isRenewed = false;
  if (shown?.stalenessMs === stalenessMs) return shown;
  const made =
    shown === undefined
      ? frozenFound(namespace, kept.found, stalenessMs)
      : Object.freeze({ ...shown, stalenessMs });
  kept.shown = made;
  kept.promised = undefined;
  return made;
}

/**
 * The same id may name entries of several owners, whose first part says where they are. An id alone
 * takes whichever there is.
 */
function isOwner(ref: Exclude<EntryRef, string>, { entry }: Found): boolean {
  const { userId = '', agentId = '', appId = '', runId = '' } = ref;
  if (userId !== '') return userId === entry.userId;
  if (entry.userId !== undefined) return false;
  if (agentId !== '') return agentId === entry.agentId;
  if (entry.agentId !== undefined) return false;
  if (appId !== '') return appId === entry.appId;
  return entry.appId === undefined && (runId === '' ? undefined : runId) === entry.runId;
}

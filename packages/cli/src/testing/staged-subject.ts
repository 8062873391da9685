import { WORKLOADS } from '../bench/subject.ts';
import type {
  BenchOperation,
  OpenWatch,
  Subject,
  Watcher,
  WorkloadName,
} from '../bench/subject.ts';
import type { ManualClock } from './manual-clock.ts';

/** How one operation goes: answered after so long, failed, or never answered. */
export type Fate =
  | { readonly kind: 'ok'; readonly ms: number }
  | { readonly kind: 'fails'; readonly ms: number; readonly error: Error }
  | { readonly kind: 'hangs' };

export interface StagedSubjectOptions {
  readonly clock: ManualClock;
  readonly name?: string;
  readonly workloads?: readonly WorkloadName[];
  /** @param count operations before this one. */
  readonly fate: (operation: BenchOperation, count: number) => Fate;
  /** Which changes no watcher hears. */
  readonly isLost?: (n: number) => boolean;
}

/** How long a watcher waits for a change. */
export const WATCH_MS = 5;

/** A subject that answers as it is told, in the time of a clock that is moved by hand. */
export class StagedSubject implements Subject {
  readonly name: string;
  readonly version = 'staged 1';
  readonly workloads: ReadonlySet<WorkloadName>;
  readonly operations: BenchOperation[] = [];
  readonly begunMs: number[] = [];
  readonly prepared: WorkloadName[] = [];
  readonly #options: StagedSubjectOptions;
  /** Each with a place of its own: the same watcher may be given twice. */
  readonly #watchers = new Set<{ readonly watcher: Watcher }>();
  underWay = 0;
  underWayMax = 0;
  closed = 0;

  constructor(options: StagedSubjectOptions) {
    this.#options = options;
    this.name = options.name ?? 'staged';
    this.workloads = new Set(options.workloads ?? WORKLOADS);
  }

  run(operation: BenchOperation): Promise<void> {
    const { clock, fate } = this.#options;
    const decided = fate(operation, this.operations.length);
    this.operations.push(operation);
    this.begunMs.push(clock.nowMs());
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (decided.kind === 'hangs') return promise;
    clock.after(decided.ms, () => {
      this.underWay -= 1;
      if (decided.kind === 'fails') reject(decided.error);
      else {
        this.#tell(operation);
        resolve();
      }
    });
    return promise;
  }

  prepare(workload: WorkloadName): Promise<void> {
    this.prepared.push(workload);
    return Promise.resolve();
  }

  watch(watcher: Watcher): Promise<OpenWatch> {
    const place = { watcher };
    this.#watchers.add(place);
    const close = (): Promise<void> => {
      this.#watchers.delete(place);
      return Promise.resolve();
    };
    return Promise.resolve({ close });
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  serverCpuUs(): number {
    return this.#options.clock.cpuUs() * 3;
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }

  #tell(operation: BenchOperation): void {
    const { clock, isLost } = this.#options;
    if (operation.kind !== 'set' || isLost?.(operation.n) === true) return;
    for (const { watcher } of this.#watchers) {
      clock.after(WATCH_MS, () => watcher.heard(operation.n));
    }
  }
}

export function ok(ms: number): Fate {
  return { kind: 'ok', ms };
}

export function fails(ms: number, code = 'TIMEOUT'): Fate {
  return { kind: 'fails', ms, error: Object.assign(new Error(`It failed: ${code}.`), { code }) };
}

import { FailureCount, messageOf } from './failure-count.ts';
import { LatencyRecord } from './latency-record.ts';
import type { LoadClock } from './load-clock.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadEnd, LoadResult } from './load-result.ts';
import type { Subject } from './subject.ts';

/** Nothing acknowledged for so long: longer than any fail-over that still counts as an answer. */
const SILENCE_MS = 5_000;
/** A subject that did not acknowledge anything at the end of its time, and fails, has died. */
const LATE_SILENCE_MS = 1_000;
/** What is under way at the end may take so long, longer than the time limit of a call. */
const DRAIN_MS = 10_000;
const INTERRUPTED_DRAIN_MS = 1_000;
const TICK_MS = 100;
const SILENCE = `Nothing was answered for ${SILENCE_MS / 1_000} s.`;

export interface MeterOptions {
  readonly subject: Pick<Subject, 'serverCpuUs'>;
  readonly load: LoadOptions;
  readonly clock: LoadClock;
}

/** What the servers and this process had used at one moment. */
interface Used {
  readonly clientUs: number;
  readonly serverUs: number | undefined;
}

/** Counts what happens to operations: first not at all, then for as long as was asked. */
export class LoadMeter {
  readonly #options: MeterOptions;
  readonly #latency = new LatencyRecord();
  readonly #failures = new FailureCount();
  readonly #over = Promise.withResolvers<void>();
  readonly #timers = new Set<() => void>();
  #phase: 'warmup' | 'measuring' | 'over' = 'warmup';
  #end: LoadEnd = 'complete';
  #phaseMs = 0;
  #fromMs = Infinity;
  #untilMs = Infinity;
  #operations = 0;
  #warmed = 0;
  #underWay = 0;
  #idle: (() => void) | undefined;
  #acknowledgedMs = 0;
  #failedMs = -Infinity;
  #problem: string | undefined;
  #usedFrom: Used = { clientUs: 0, serverUs: undefined };
  #usedUntil: Used = { clientUs: 0, serverUs: undefined };

  constructor(options: MeterOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  get isMeasuring(): boolean {
    return this.#phase === 'measuring';
  }

  /** How long was measured; 0 while it has not ended. */
  get seconds(): number {
    const isKnown = this.#fromMs !== Infinity && this.#untilMs !== Infinity;
    return isKnown ? (this.#untilMs - this.#fromMs) / 1_000 : 0;
  }

  /** The whole time has been measured. */
  get isComplete(): boolean {
    return this.isOver && this.#end === 'complete';
  }

  /** When the measuring ended; infinite until then. */
  get untilMs(): number {
    return this.#untilMs;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Fulfilled when nothing more is to begin; rejects when the load itself failed. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  start(): void {
    const { clock, load } = this.#options;
    this.#phaseMs = this.#acknowledgedMs = clock.nowMs();
    load.signal?.addEventListener('abort', this.#interrupt, { once: true });
    if (load.signal?.aborted === true) {
      this.#interrupt();
      return;
    }
    if (load.warmupSeconds > 0) this.#after(load.warmupSeconds * 1_000, () => this.#measure());
    else this.#measure();
    this.#tick();
  }

  begun(): void {
    this.#underWay += 1;
  }

  /** @param beganMs when it began, or was due. */
  acknowledged(beganMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#acknowledgedMs = nowMs;
    if (this.#phase === 'measuring') this.#operations += 1;
    else if (this.#phase === 'warmup') this.#warmed += 1;
    if (this.#counts(beganMs)) this.#latency.add(nowMs - beganMs);
    this.#ended();
  }

  failed(beganMs: number, error: unknown): void {
    this.#failedMs = this.#options.clock.nowMs();
    this.#problem = messageOf(error);
    if (this.#counts(beganMs)) this.#failures.add(error);
    this.#ended();
  }

  /** Operations that were due in time and never begun. */
  notBegun(count: number): void {
    if (count > 0) this.#failures.add('not begun in time', count);
  }

  /** The load generator itself cannot go on. */
  crash(error: unknown): void {
    this.#over.reject(error);
    this.#finish('interrupted');
  }

  /** Waits until nothing is under way any more, or for as long as a call may take. */
  async drain(): Promise<void> {
    if (this.#underWay === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    const ms = this.#end === 'interrupted' ? INTERRUPTED_DRAIN_MS : DRAIN_MS;
    const forget = this.#options.clock.after(ms, resolve);
    await promise;
    forget();
  }

  /** After `drain`. */
  result(rest: Pick<LoadResult, 'rate' | 'watch'>): LoadResult {
    const { load } = this.#options;
    // Whoever stops early does not wait for the answers either.
    const unanswered = this.#end === 'interrupted' ? 0 : this.#underWay;
    if (unanswered > 0) this.#failures.add('not answered', unanswered);
    if (this.#end === 'complete' && this.#isLateSilent()) this.#end = 'died';
    const { seconds } = this;
    const operations = this.#operations;
    const perOperation = (us: number): number => (operations === 0 ? 0 : us / operations);
    const { clientUs, serverUs } = this.#usedUntil;
    const serverFromUs = this.#usedFrom.serverUs;
    return {
      workload: load.workload,
      operations,
      failed: this.#failures.total,
      failures: this.#failures.list(),
      seconds,
      perSecond: seconds === 0 ? 0 : operations / seconds,
      latencyMs: this.#latency.summary(),
      clientCpuUs: perOperation(clientUs - this.#usedFrom.clientUs),
      serverCpuUs:
        serverUs === undefined || serverFromUs === undefined
          ? undefined
          : perOperation(serverUs - serverFromUs),
      end: this.#end,
      problem: this.#end === 'died' ? (this.#problem ?? SILENCE) : undefined,
      ...rest,
    };
  }

  #counts(beganMs: number): boolean {
    return beganMs >= this.#fromMs && beganMs < this.#untilMs;
  }

  #ended(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#idle?.();
  }

  #measure(): void {
    this.#phase = 'measuring';
    this.#usedFrom = this.#used();
    this.#fromMs = this.#phaseMs = this.#options.clock.nowMs();
    this.#after(this.#options.load.seconds * 1_000, () => this.#finish('complete'));
  }

  readonly #interrupt = (): void => this.#finish('interrupted');

  #finish(end: LoadEnd): void {
    if (this.#phase === 'over') return;
    this.#untilMs = this.#options.clock.nowMs();
    this.#usedUntil = this.#used();
    this.#phase = 'over';
    this.#end = end;
    this.#options.load.signal?.removeEventListener('abort', this.#interrupt);
    for (const forget of this.#timers) forget();
    this.#timers.clear();
    this.#over.resolve();
  }

  #tick(): void {
    const nowMs = this.#options.clock.nowMs();
    const isWaiting = this.#underWay > 0 || this.#failedMs > this.#acknowledgedMs;
    if (isWaiting && nowMs - this.#acknowledgedMs > SILENCE_MS) {
      this.#finish('died');
      return;
    }
    if (this.#phase !== 'over') {
      this.#options.load.progress?.({
        phase: this.#phase,
        seconds: (nowMs - this.#phaseMs) / 1_000,
        operations: this.#phase === 'measuring' ? this.#operations : this.#warmed,
        failed: this.#failures.total,
      });
    }
    this.#after(TICK_MS, () => this.#tick());
  }

  #isLateSilent(): boolean {
    if (this.#failures.total === 0) return false;
    const span = Math.min(LATE_SILENCE_MS, (this.#untilMs - this.#fromMs) / 2);
    return this.#acknowledgedMs < this.#untilMs - span;
  }

  #used(): Used {
    const { clock, subject } = this.#options;
    return { clientUs: clock.cpuUs(), serverUs: subject.serverCpuUs?.() };
  }

  #after(ms: number, callback: () => void): void {
    const forget = this.#options.clock.after(ms, () => {
      this.#timers.delete(forget);
      callback();
    });
    this.#timers.add(forget);
  }
}

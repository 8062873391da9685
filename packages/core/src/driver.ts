import type { Clock } from './clock.ts';
import { broken } from '#breaks';
import type { Instant, Machine } from './machine.ts';

/** Where a driver's turns come from: an event loop, or a simulator's queue. */
export interface Scheduler {
  /** Runs `turn` soon, after whatever input is already waiting has been delivered. */
  soon(turn: () => void): void;
  /** Runs `turn` once `moment` has passed; replaces the earlier request. */
  at(moment: Instant, turn: () => void): void;
  /** Forgets the request made with `at`. */
  cancel(): void;
}

export interface DriverOptions<Input, Effect> {
  readonly machine: Machine<Input, Effect>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Carries one effect out. Must not call back into the driver except through `push`. */
  readonly perform: (effect: Effect) => void;
  /** Told once at the end of every turn: flush what `perform` gathered. */
  readonly flush: () => void;
  /** Makes the input that tells the wall clock, given at the beginning of every turn. */
  readonly wallClockInput: (wallMs: number) => Input;
  /** The machine is broken (or the shell is): the node must stop. Nothing runs afterwards. */
  readonly onFault: (error: unknown) => void;
  /** How long one turn may work before it lets the loop breathe. */
  readonly sliceMsMax: number;
  /** Inputs that may wait. One more is refused and counted. */
  readonly inboxMax: number;
}

/**
 * How long a busy inbox may hold a due wake-up back. A third of a leader's heartbeat interval: under
 * a flood of messages a leader has to go on being one.
 */
const WAKE_HELD_BACK_MS_MAX = 100;

/** A wake-up that is due while inputs still wait. */
interface HeldBack {
  readonly since: Instant;
  /** Inputs that were there before it was noticed, and go first in any case. */
  inputsFirst: number;
}

/**
 * Runs one machine in order: the only place where a machine's effects become deeds.
 *
 * A turn handles everything in the inbox first and only then fires a due wake-up. After a stall
 * the acknowledgements that arrived meanwhile are waiting in the inbox; a driver that looked at
 * its timers first would accuse peers of a silence that was its own
 * (`docs/decisions/0002-turn-discipline.md`). An inbox that never empties does not keep a wake-up
 * away for ever: what came before it goes first, and what comes later does not.
 */
export class Driver<Input, Effect> {
  readonly #options: DriverOptions<Input, Effect>;
  #inbox: Input[] = [];
  #scheduled = false;
  #stopped = false;
  #refused = 0;
  #heldBack: HeldBack | undefined;

  constructor(options: DriverOptions<Input, Effect>) {
    this.#options = options;
  }

  /** Inputs refused because the inbox was full. */
  get refusedCount(): number {
    return this.#refused;
  }

  get waitingCount(): number {
    return this.#inbox.length;
  }

  /** Fires a first turn, so that a machine with an immediate wake-up gets going. */
  start(): void {
    this.#scheduleSoon();
  }

  /** Hands in an input. False: the inbox is full and the input is lost to the machine. */
  push(input: Input): boolean {
    if (this.#stopped) return false;
    if (this.#inbox.length >= this.#options.inboxMax) {
      this.#refused += 1;
      return false;
    }
    this.#inbox.push(input);
    this.#scheduleSoon();
    return true;
  }

  /** No further turn runs. Effects of a turn under way are still carried out up to this call. */
  stop(): void {
    this.#stopped = true;
    this.#inbox = [];
    this.#options.scheduler.cancel();
  }

  #scheduleSoon(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#options.scheduler.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#stopped) return;
    try {
      this.#runTurn();
    } catch (error) {
      this.stop();
      this.#options.onFault(error);
    }
  };

  #runTurn(): void {
    const { clock, machine, wallClockInput } = this.#options;
    const startedAt = clock.now();
    this.#carryOut(machine.step(startedAt, wallClockInput(clock.wallMs())));
    if (broken('driver.inbox-before-timers')) this.#wakeIfDue();
    const inboxEmpty = this.#drainInbox(startedAt);
    if (inboxEmpty || this.#isHeldBackTooLong()) {
      this.#heldBack = undefined;
      this.#wakeIfDue();
    }
    this.#options.flush();
    if (!inboxEmpty) this.#scheduleSoon();
    this.#scheduleWake();
  }

  /** True when nothing waits any more; false when the slice ran out first. */
  #drainInbox(startedAt: Instant): boolean {
    const { clock, machine, sliceMsMax } = this.#options;
    const batch = this.#inbox;
    this.#inbox = [];
    for (let at = 0; at < batch.length; at += 1) {
      if (this.#stopped) return true;
      const now = clock.now();
      if (now - startedAt > sliceMsMax && at > 0) {
        this.#inbox = [...batch.slice(at), ...this.#inbox];
        return false;
      }
      this.#carryOut(machine.step(now, batch[at] as Input));
      if (this.#heldBack !== undefined) this.#heldBack.inputsFirst -= 1;
    }
    return this.#inbox.length === 0;
  }

  /** Called when inputs are left over at the end of a turn. */
  #isHeldBackTooLong(): boolean {
    const { clock, machine } = this.#options;
    const now = clock.now();
    const wakeAt = machine.wakeAt;
    if (this.#stopped || wakeAt === undefined || wakeAt > now) {
      this.#heldBack = undefined;
      return false;
    }
    this.#heldBack ??= { since: now, inputsFirst: this.#inbox.length };
    const { since, inputsFirst } = this.#heldBack;
    return inputsFirst <= 0 && now - since >= WAKE_HELD_BACK_MS_MAX;
  }

  #wakeIfDue(): void {
    const { clock, machine } = this.#options;
    const now = clock.now();
    const wakeAt = machine.wakeAt;
    if (wakeAt !== undefined && wakeAt <= now) this.#carryOut(machine.wake(now));
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#stopped) return;
      this.#options.perform(effect);
    }
  }

  #scheduleWake(): void {
    if (this.#stopped) return;
    const { machine, scheduler } = this.#options;
    const wakeAt = machine.wakeAt;
    if (wakeAt === undefined) scheduler.cancel();
    else scheduler.at(wakeAt, this.#scheduleFromTimer);
  }

  /** A timer callback never runs the machine itself: input that is already here goes first. */
  readonly #scheduleFromTimer = (): void => this.#scheduleSoon();
}

import type { ControlCommand, MemberRecord } from '@memgrid/protocol';
import type { ControlState } from '../control/control-state.ts';
import { after, type Instant } from '../machine.ts';
import { CLUSTER } from './cluster-machine-io.ts';

/** What to do about this node's entry in the registry. */
export type RegistrationStep =
  | { readonly kind: 'propose'; readonly command: ControlCommand }
  /** It would be ignored; said once for each reason. */
  | { readonly kind: 'refused'; readonly problem: string };

/** Tells the registry about this process, until the registry shows it. */
export class Registration {
  readonly #self: MemberRecord;
  #dueAt: Instant;
  #problem: string | undefined;

  constructor(self: MemberRecord, now: Instant) {
    this.#self = self;
    this.#dueAt = now;
  }

  /** Why this node may not register, in a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  isDone(control: ControlState | undefined): boolean {
    const own = control?.member(this.#self.nodeId);
    return own?.generation === this.#self.generation && own.status !== 'joining';
  }

  /** @param canPropose whether anybody is known to lead. */
  next(
    now: Instant,
    control: ControlState | undefined,
    canPropose: () => boolean,
  ): RegistrationStep | undefined {
    if (this.#dueAt > now) return undefined;
    const known = control?.member(this.#self.nodeId);
    const { generation, address } = this.#self;
    if (known?.generation === generation && known.address === address) {
      this.#problem = undefined;
      return undefined;
    }
    const command: ControlCommand = { kind: 'register', member: this.#self };
    // One that would be ignored would be proposed every second, for ever.
    const problem = control?.problemWith(command);
    const isNew = problem !== this.#problem;
    this.#problem = problem;
    // Due as soon as somebody leads: a restarted primary serves nothing before it is registered.
    if (problem === undefined && !canPropose()) return undefined;
    this.#dueAt = after(now, CLUSTER.registerMs);
    if (problem !== undefined) return isNew ? { kind: 'refused', problem } : undefined;
    return { kind: 'propose', command };
  }
}

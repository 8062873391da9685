import { encodeControlImage } from '../control/control-image.ts';
import type { ControlState } from '../control/control-state.ts';
import { after, type Instant } from '../machine.ts';
import type { StoreOperation } from '../store-operation.ts';
import { CLUSTER } from './cluster-machine-io.ts';
import { controlStateOperation } from './node-records.ts';

/**
 * When a node outside the control group writes down what it knows: members of the group have it in
 * their log already.
 */
export class ControlCopy {
  #dirty = false;
  #dueAt: Instant;

  constructor(now: Instant) {
    this.#dueAt = now;
  }

  changed(): void {
    this.#dirty = true;
  }

  /** @param state undefined where nothing has to be written. */
  takeIfDue(now: Instant, state: ControlState | undefined): readonly StoreOperation[] {
    if (!this.#dirty || this.#dueAt > now) return [];
    this.#dirty = false;
    if (state === undefined) return [];
    this.#dueAt = after(now, CLUSTER.controlStateIntervalMs);
    return [controlStateOperation(encodeControlImage(state.image()))];
  }
}

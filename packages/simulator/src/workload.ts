import type { NodeRequest, Random, RequestId } from '@memgrid/core';
import type { ControlCommand, DeclaredLevel, FeatureState } from '@memgrid/protocol';
import type { World } from './world.ts';

export interface WorkloadOptions {
  /** Requests per second, over all nodes, on average. */
  readonly requestsPerSecond: number;
  /** Share of requests that hand the coordinator's role over. */
  readonly handoverShare: number;
  /** Share of requests that ask for a proof of a majority. */
  readonly readShare: number;
}

export const ORDINARY_WORKLOAD: WorkloadOptions = {
  requestsPerSecond: 4,
  handoverShare: 0.02,
  readShare: 0.3,
};

const FEATURE_STATES: readonly FeatureState[] = ['off', 'allowed', 'on'];
const LEVELS: readonly DeclaredLevel[] = ['normal', 'readOnly', 'maintenance'];
const FEATURES = ['alpha', 'beta', 'gamma', 'delta'];

/**
 * Operators who never rest: commands for the control group, reads and hand-overs, each asked of
 * a random running node, at random moments. They make the log grow, so that there is something
 * to lose.
 */
export class Workload {
  readonly #world: World;
  readonly #random: Random;
  readonly #options: WorkloadOptions;
  #nextRequest: RequestId = 1;
  #calm = false;

  constructor(world: World, options: WorkloadOptions) {
    this.#world = world;
    this.#random = world.random.split('workload');
    this.#options = options;
    this.#again();
  }

  /**
   * From now on nobody hands the role over: each new coordinator waits anew before it replaces
   * somebody who is gone, and operators who never rest would keep a cluster from ever being whole.
   */
  calm(): void {
    this.#calm = true;
  }

  #again(): void {
    // Exponential gaps: bursts and lulls, as independent callers make them.
    const meanMs = 1000 / this.#options.requestsPerSecond;
    const gapMs = -Math.log(1 - this.#random.unit()) * meanMs;
    this.#world.queue.after(gapMs * 1000, () => {
      this.#ask();
      this.#again();
    });
  }

  #ask(): void {
    const running = this.#world.nodes.filter((node) => node.process !== undefined);
    const node = this.#random.pick(running);
    const body = this.#body();
    const request = this.#nextRequest;
    this.#nextRequest += 1;
    node?.process?.request(request, body);
  }

  #body(): NodeRequest {
    const { handoverShare, readShare } = this.#options;
    const draw = this.#random.unit();
    if (draw < handoverShare && !this.#calm) return { kind: 'handover', to: undefined };
    if (draw < handoverShare + readShare) return { kind: 'readIndex' };
    return { kind: 'propose', command: this.#command() };
  }

  #command(): ControlCommand {
    if (this.#random.chance(0.3)) {
      return { kind: 'setLevel', level: this.#random.pick(LEVELS) ?? 'normal' };
    }
    return {
      kind: 'setFeature',
      name: this.#random.pick(FEATURES) ?? 'alpha',
      state: this.#random.pick(FEATURE_STATES) ?? 'off',
    };
  }
}

import { after, type Instant } from '../machine.ts';
import { CLUSTER } from './cluster-machine-io.ts';

/** How far a leaving node is. */
export type DepartureStage =
  | 'staying'
  /** Its primaries and its place as coordinator go to others. */
  | 'handingOver'
  /** Its goodbye spreads. */
  | 'sayingGoodbye'
  | 'gone';

/** The steps of leaving, each with a deadline: a shutdown must end. */
export class Departure {
  #stage: DepartureStage = 'staying';
  #deadline: Instant | undefined;

  get wakeAt(): Instant | undefined {
    return this.#deadline;
  }

  get stage(): DepartureStage {
    return this.#stage;
  }

  get isUnderWay(): boolean {
    return this.#stage !== 'staying';
  }

  /** False when it began before. */
  begin(now: Instant): boolean {
    if (this.#stage !== 'staying') return false;
    this.#stage = 'handingOver';
    this.#deadline = after(now, CLUSTER.handOverMs);
    return true;
  }

  /** Nothing is left to hand over, or there is no time for it. False when that was known. */
  handedOver(now: Instant): boolean {
    if (this.#stage !== 'handingOver') return false;
    this.#stage = 'sayingGoodbye';
    this.#deadline = after(now, CLUSTER.goodbyeMs);
    return true;
  }

  saidGoodbye(): void {
    this.#stage = 'gone';
    this.#deadline = undefined;
  }
}

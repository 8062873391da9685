import type { Checker } from '../checker.ts';
import type { Fault } from '../fault.ts';
import type { WorldEvent } from '../world-event.ts';

/** After a serious fault, silence may be real for so long. */
const RECOVERY_US = 30_000_000;
/** A shorter pause must never kill: the shortest suspicion is four seconds. */
const HARMLESS_STALL_MS = 2_500;
const HARMLESS_LOSS_PERCENT = 10;

/**
 * Nobody declares a node dead that runs and can be reached. Pauses of up to 2.5 s and a tenth
 * of all packets lost are no excuse; anything worse suspends the check for half a minute.
 */
export class FalseDeaths implements Checker {
  readonly name = 'no-false-deaths';
  readonly kinds = ['started', 'ended', 'published', 'intervened'] as const;
  readonly #strict: boolean;
  /** Node id and generation of what runs, by process. */
  readonly #running = new Map<number, string>();
  #disturbedUs = -Infinity;
  #lastingDisturbance = false;
  #count = 0;

  /** @param strict whether a false death is a violation, or only counted. */
  constructor(strict: boolean) {
    this.#strict = strict;
  }

  get count(): number {
    return this.#count;
  }

  observe(event: WorldEvent, nowUs: number): string | undefined {
    switch (event.kind) {
      case 'started':
        this.#running.set(event.at.process, event.at.nodeId);
        return undefined;
      case 'ended':
        this.#running.delete(event.at.process);
        this.#disturbedUs = nowUs;
        return undefined;
      case 'intervened':
        this.#disturbed(event.fault, nowUs);
        return undefined;
      case 'published':
        return this.#published(event, nowUs);
      default:
        return undefined;
    }
  }

  finish(): string | undefined {
    return undefined;
  }

  #disturbed(fault: Fault | undefined, nowUs: number): void {
    if (fault === undefined || isHarmless(fault)) return;
    if (fault.kind === 'heal') this.#lastingDisturbance = false;
    else if (!('forMs' in fault) || fault.forMs === undefined) this.#lastingDisturbance = true;
    const forUs = 'forMs' in fault && fault.forMs !== undefined ? fault.forMs * 1000 : 0;
    this.#disturbedUs = Math.max(this.#disturbedUs, nowUs + forUs);
  }

  #published(event: Extract<WorldEvent, { kind: 'published' }>, nowUs: number): string | undefined {
    const { event: told } = event;
    if (told.name !== 'member.died' || told.evidence === 'gossip') return undefined;
    if (this.#lastingDisturbance || nowUs - this.#disturbedUs < RECOVERY_US) return undefined;
    if (![...this.#running.values()].includes(told.member)) return undefined;
    this.#count += 1;
    if (!this.#strict) return undefined;
    return `Declared ${told.member.slice(0, 8)} dead (${told.evidence}), which runs well.`;
  }
}

function isHarmless(fault: Fault): boolean {
  switch (fault.kind) {
    case 'stall':
      return fault.stallMsMax <= HARMLESS_STALL_MS;
    case 'flaky':
      return fault.lossPercent <= HARMLESS_LOSS_PERCENT && fault.resetPercent === 0;
    case 'refuse':
      // One node that is turned away is no proof of anything.
      return fault.from !== '*' && fault.to !== '*';
    case 'skew':
    case 'jump':
    case 'drift':
    case 'freezeClock':
    case 'diskSlow':
      return true;
    default:
      return false;
  }
}

import type { Random } from '@memgrid/core';
import { ERROR_CODES } from '@memgrid/protocol';
import type {
  Answer,
  ErrorCode,
  NodeId,
  Operation,
  OperationResult,
  ShardConfig,
} from '@memgrid/protocol';
import type { EventQueue } from '../event-queue.ts';

/** What a call is made of; what changes from try to try is added then. */
export type CalledOperation = Omit<Operation, 'id' | 'timeoutMs'>;

/** How a call ended, as far as its caller can know. */
export type CallEnd =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly node: NodeId }
  /** Certainly not carried out. `code`: the last refusal's; undefined when nobody answered. */
  | { readonly kind: 'failed'; readonly code: ErrorCode | undefined }
  | { readonly kind: 'unknown'; readonly code: ErrorCode | undefined };

export interface CallSurroundings {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly nodes: readonly NodeId[];
  readonly config: (operation: CalledOperation) => ShardConfig;
  /** Carries it to the node and the answer back, or loses either. */
  readonly ask: (to: NodeId, operation: Operation, answered: (answer: Answer) => void) => void;
}

export interface CallLimits {
  readonly tries: number;
  readonly timeoutMsMin: number;
  readonly timeoutMsMax: number;
}

const PAUSE_MS_MAX = 60;

/**
 * One call of a client: tries with the same operation id until there is an answer or no patience
 * left, with the care of the real session (`core/session`), only less clever about whom to ask.
 */
export class ShardCall {
  readonly #world: CallSurroundings;
  readonly #operation: CalledOperation;
  readonly #limits: CallLimits;
  readonly #ended: (end: CallEnd) => void;
  #triesLeft: number;
  #hint: NodeId | undefined;
  /** A try ended in doubt: a later "not carried out" speaks of its own try only. */
  #inDoubt = false;
  #over = false;
  #code: ErrorCode | undefined;
  #tryNumber = 0;

  constructor(
    world: CallSurroundings,
    operation: CalledOperation,
    options: { readonly limits: CallLimits; readonly ended: (end: CallEnd) => void },
  ) {
    this.#world = world;
    this.#operation = operation;
    this.#limits = options.limits;
    this.#ended = options.ended;
    this.#triesLeft = options.limits.tries;
    this.#try();
  }

  #try(): void {
    if (this.#over) return;
    if (this.#triesLeft === 0) {
      this.#finish({ kind: this.#inDoubt ? 'unknown' : 'failed', code: this.#code });
      return;
    }
    this.#triesLeft -= 1;
    this.#tryNumber += 1;
    const number = this.#tryNumber;
    const { queue, random } = this.#world;
    const { timeoutMsMin, timeoutMsMax } = this.#limits;
    const timeoutMs = Math.ceil(random.between(timeoutMsMin, timeoutMsMax));
    const to = this.#target();
    const operation: Operation = { ...this.#operation, id: number, timeoutMs };
    this.#world.ask(to, operation, (answer) => this.#answered(number, to, answer));
    // A little longer than the node's own patience, so that its "unknown" is usually heard.
    queue.after((timeoutMs + 20) * 1000, () => {
      if (this.#over || number !== this.#tryNumber) return;
      this.#inDoubt = true;
      this.#hint = undefined;
      this.#try();
    });
  }

  #answered(number: number, node: NodeId, answer: Answer): void {
    if (this.#over) return;
    const { result } = answer;
    if (result.kind !== 'failed') {
      this.#finish({ kind: 'answered', answer, node });
      return;
    }
    // The late refusal of an earlier try says nothing about the one under way.
    if (number !== this.#tryNumber) return;
    if (result.applied !== 'no') this.#inDoubt = true;
    this.#hint = result.hint;
    this.#code = result.code;
    if (!isWorthAnotherTry(result)) this.#triesLeft = 0;
    this.#tryNumber += 1;
    const { queue, random } = this.#world;
    queue.after(random.between(1, PAUSE_MS_MAX) * 1000, () => this.#try());
  }

  #target(): NodeId {
    const { config, nodes, random } = this.#world;
    if (this.#hint !== undefined && random.chance(0.9)) return this.#hint;
    const { primary, replicas, next } = config(this.#operation);
    const luck = random.unit();
    const primaryShare = this.#operation.read === 'one' ? 0.2 : 0.6;
    if (luck < primaryShare) return primary;
    const among = luck < 0.9 ? [...replicas, ...next] : nodes;
    return random.pick(among) as NodeId;
  }

  #finish(end: CallEnd): void {
    this.#over = true;
    this.#ended(end);
  }
}

function isWorthAnotherTry({ code }: OperationResult & { kind: 'failed' }): boolean {
  return ERROR_CODES[code].retry !== 'never';
}

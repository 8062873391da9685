import type {
  Instant,
  LinkId,
  Machine,
  NodeEffect,
  NodeInput,
  StoreOperation,
  Ticket,
} from '@memgrid/core';
import type { Envelope } from '@memgrid/protocol';
import type { EventQueue } from './event-queue.ts';
import type { SimulatedMachine } from './sim-process.ts';
import type { TraceHash } from './trace-hash.ts';
import type { ProcessLabel } from './world-event.ts';

export interface MeteredMachineOptions {
  readonly label: ProcessLabel;
  readonly machine: SimulatedMachine;
  readonly queue: EventQueue;
  readonly hash: TraceHash;
  /** A message is about to be handled. */
  readonly received: (link: LinkId, envelope: Envelope) => void;
  readonly published: (name: string) => void;
  readonly stored: (operations: readonly StoreOperation[]) => void;
}

/** Processor time of one step on an ordinary machine. */
const STEP_US = 15;

/**
 * Stands between the driver and the machine: counts what each step costs, and takes every input
 * and output into the world's hash.
 */
export class MeteredMachine implements Machine<NodeInput, NodeEffect> {
  readonly #options: MeteredMachineOptions;
  readonly #underWay = new Map<Ticket, readonly StoreOperation[]>();
  #spentUs = 0;

  constructor(options: MeteredMachineOptions) {
    this.#options = options;
  }

  /** What the present turn has cost so far. */
  get spentUs(): number {
    return this.#spentUs;
  }

  get wakeAt(): Instant | undefined {
    return this.#options.machine.wakeAt;
  }

  beginTurn(): void {
    this.#spentUs = 0;
  }

  step(now: Instant, input: NodeInput): readonly NodeEffect[] {
    if (input.kind === 'received') this.#options.received(input.link, input.envelope);
    else if (input.kind === 'stored') this.#stored(input.ticket);
    const effects = this.#options.machine.step(now, input);
    this.#record(input.kind, effects);
    return effects;
  }

  wake(now: Instant): readonly NodeEffect[] {
    const effects = this.#options.machine.wake(now);
    this.#record('wake', effects);
    return effects;
  }

  #stored(ticket: Ticket): void {
    const operations = this.#underWay.get(ticket) ?? [];
    this.#underWay.delete(ticket);
    this.#options.stored(operations);
  }

  #record(cause: string, effects: readonly NodeEffect[]): void {
    this.#spentUs += cause === 'wallClock' ? 1 : STEP_US;
    const { hash, queue, label } = this.#options;
    hash.number(queue.nowUs);
    hash.number(label.process);
    hash.text(cause);
    for (const effect of effects) this.#recordEffect(effect);
  }

  #recordEffect(effect: NodeEffect): void {
    const { hash } = this.#options;
    hash.text(effect.kind);
    switch (effect.kind) {
      case 'send':
        // The frame's bytes are hashed when they are sent; this is the order within the turn.
        hash.number(effect.link);
        hash.text(effect.envelope.message.type);
        break;
      case 'store':
        this.#underWay.set(effect.ticket, effect.operations);
        for (const operation of effect.operations) {
          hash.text(operation.key);
          if (operation.kind === 'put') hash.bytes(operation.value);
        }
        break;
      case 'publish':
        hash.text(effect.event.name);
        this.#options.published(effect.event.name);
        break;
      case 'halt':
        hash.text(effect.code);
        break;
      case 'load':
        hash.number(effect.ticket);
        hash.text(effect.key);
        break;
      case 'clientSend':
        // As with peers: the frame's bytes are hashed when they leave.
        hash.number(effect.link);
        hash.text(effect.message.type);
        break;
      case 'clientHangUp':
      case 'clientPause':
      case 'dial':
      case 'hangUp':
        hash.number(effect.link);
        break;
      case 'reply':
        hash.number(effect.request);
        break;
    }
  }
}

import type { MemberUpdate, NodeId } from '@memgrid/protocol';
import { outranks } from './merge-rule.ts';

/** Accusations about strangers that are remembered as passed on. */
const REMEMBERED_MAX = 256;

/**
 * Remembers which accusations about unknown members were passed on already.
 *
 * A newcomer that dropped them would keep the accused from ever hearing (memberlist#311). One
 * that passed each on each time would keep them circling for ever.
 */
export class Strangers {
  readonly #passedOn = new Map<NodeId, MemberUpdate>();

  get size(): number {
    return this.#passedOn.size;
  }

  /** True the first time that this, or anything worse, is said about the stranger. */
  isNews(update: MemberUpdate): boolean {
    const before = this.#passedOn.get(update.nodeId);
    if (before !== undefined && !outranks(update, before)) return false;
    this.#passedOn.delete(update.nodeId);
    this.#passedOn.set(update.nodeId, update);
    if (this.#passedOn.size > REMEMBERED_MAX) {
      for (const oldest of this.#passedOn.keys()) {
        this.#passedOn.delete(oldest);
        break;
      }
    }
    return true;
  }

  met(nodeId: NodeId): void {
    if (this.#passedOn.size > 0) this.#passedOn.delete(nodeId);
  }
}

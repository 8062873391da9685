import type { MembershipMessage, NodeId } from '@memgrid/protocol';
import type { MembershipEffect, MembershipEvent } from './membership-io.ts';
import type { Member } from './member.ts';

const NONE: readonly MembershipEffect[] = [];

/** Collects what one step wants done, in order. */
export class EffectBuffer {
  #effects: MembershipEffect[] = [];

  send(to: Member, body: MembershipMessage): void {
    this.#effects.push({ kind: 'send', to: to.nodeId, address: to.address, body });
  }

  /** To a peer that may not be in the table; '' when only a link leads there. */
  sendTo(to: NodeId, address: string, body: MembershipMessage): void {
    this.#effects.push({ kind: 'send', to, address, body });
  }

  contact(peer: NodeId, address: string): void {
    this.#effects.push({ kind: 'contact', peer, address });
  }

  direct(peer: NodeId, reached: boolean): void {
    this.#effects.push({ kind: 'direct', peer, reached });
  }

  event(event: MembershipEvent): void {
    this.#effects.push({ kind: 'event', event });
  }

  /** Everything since the last call. */
  drain(): readonly MembershipEffect[] {
    if (this.#effects.length === 0) return NONE;
    const drained = this.#effects;
    this.#effects = [];
    return drained;
  }
}

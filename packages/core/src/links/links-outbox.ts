import type { Generation, Message, Reject } from '@memgrid/protocol';
import type { LinkEvent } from '../node-event.ts';
import type { LinkId } from '../node-io.ts';
import type { RefusalReason } from './envelope-checks.ts';
import type { LinksEffect } from './links-io.ts';
import type { PeerLink } from './link-state.ts';

/** What one step of the links causes, in the order in which it was caused. */
export class LinksOutbox {
  readonly #firstVersion: number;
  #effects: LinksEffect[] = [];

  /** @param firstVersion of the protocol: before a handshake the oldest one is spoken. */
  constructor(firstVersion: number) {
    this.#firstVersion = firstVersion;
  }

  emit(effect: LinksEffect): void {
    this.#effects.push(effect);
  }

  transmit(link: PeerLink, message: Message): void {
    link.sendSequence += 1;
    this.emit({
      kind: 'transmit',
      link: link.id,
      version: link.version,
      targetGeneration: link.generation,
      sequence: link.sendSequence,
      message,
    });
  }

  /** Sends on a link whose other side is not known yet. Such messages are always the first. */
  transmitBare(link: LinkId, message: Message): void {
    this.emit({
      kind: 'transmit',
      link,
      version: this.#firstVersion,
      targetGeneration: 0 as Generation,
      sequence: 1,
      message,
    });
  }

  event(event: LinkEvent): void {
    this.emit({ kind: 'event', event });
  }

  /** A frame that no protocol gets to see. */
  refused(reason: RefusalReason, detail: string): void {
    this.event({ name: 'frame.refused', reason, detail });
  }

  /** Meeting oneself at a seed, or a peer that has the better link, is how it is meant to be. */
  rejected(address: string, { reason, detail }: Pick<Reject, 'reason' | 'detail'>): void {
    if (reason === 'self' || reason === 'duplicate') return;
    this.event({ name: 'peer.rejected', address, reason, detail });
  }

  take(): readonly LinksEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

import type { LinkId } from '@memgrid/core';
import type { ClientMessage } from '@memgrid/protocol';

/** Connects the machine's numbers of client links with real connections. */
export class ClientLinks {
  send(_link: LinkId, _message: ClientMessage): void {
    // No client is accepted yet.
  }

  hangUp(_link: LinkId): void {
    // No client is accepted yet.
  }

  pause(_link: LinkId, _paused: boolean): void {
    // No client is accepted yet.
  }
}

import type { HaltCode, NodeEffect, NodeEvent } from '@memgrid/core';
import { unreachable } from '@memgrid/core';
import type { NodeDisk } from '../node-disk.ts';
import type { ClientLinks } from './client-links.ts';
import type { Links } from './links.ts';
import type { Requests } from './requests.ts';

export interface Performers {
  readonly links: Links;
  readonly clients: ClientLinks;
  readonly disk: NodeDisk;
  readonly requests: Requests;
  readonly publish: (event: NodeEvent) => void;
  readonly halt: (code: HaltCode, detail: string) => void;
}

/** Effect to call. Nothing is decided here. */
export function perform(effect: NodeEffect, to: Performers): void {
  switch (effect.kind) {
    case 'dial':
      return to.links.dial(effect.link, effect.address, effect.channel);
    case 'hangUp':
      return to.links.hangUp(effect.link);
    case 'send':
      return to.links.send(effect.link, effect.envelope);
    case 'clientSend':
      return to.clients.send(effect.link, effect.message);
    case 'clientHangUp':
      return to.clients.hangUp(effect.link);
    case 'clientPause':
      return to.clients.pause(effect.link, effect.paused);
    case 'load':
      return to.disk.load(effect.ticket, effect);
    case 'store':
      return to.disk.commit.append(effect.ticket, effect.operations, effect.durable);
    case 'reply':
      return to.requests.answer(effect.request, effect.reply);
    case 'publish':
      return to.publish(effect.event);
    case 'halt':
      return to.halt(effect.code, effect.detail);
    default:
      return unreachable(effect);
  }
}

import type { Channel } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { LinkId } from '../node-io.ts';
import type { Random } from '../random.ts';
import { Backoff } from './backoff.ts';
import type { DiallingLink } from './link-state.ts';
import { LINKS } from './links-io.ts';

type Target = Pick<DiallingLink, 'address' | 'channel' | 'expected'>;
type Place = Pick<Target, 'address' | 'channel'>;

/** The dials under way, from the call to the end of the handshake: one an address and channel. */
export class Dials {
  readonly #backoff: Backoff;
  readonly #underWay = new Set<string>();
  #nextLink: LinkId = 1;

  constructor(random: Random) {
    this.#backoff = new Backoff(random);
  }

  isUnderWay(place: Place): boolean {
    return this.#underWay.has(keyOf(place));
  }

  /** Whether a dial makes sense now: none is under way there, and the last one did not just fail. */
  mayBegin(now: Instant, place: Place): boolean {
    return !this.isUnderWay(place) && this.#backoff.mayDial(place.address, now);
  }

  begin(now: Instant, to: Target): DiallingLink {
    const id = this.#nextLink;
    this.#nextLink += 1;
    this.#underWay.add(keyOf(to));
    return { stage: 'dialling', id, ...to, deadline: after(now, LINKS.dialMsMax) };
  }

  /** Whoever is there said who it is. */
  answered(place: Place): void {
    this.ended(place);
    this.#backoff.succeeded(place.address);
  }

  failed(now: Instant, place: Place): void {
    this.ended(place);
    this.#backoff.failed(place.address, now);
  }

  /** Came to nothing, and may be made again at once. */
  ended(place: Place): void {
    this.#underWay.delete(keyOf(place));
  }

  clear(): void {
    this.#underWay.clear();
  }
}

function keyOf({ address, channel }: { address: string; channel: Channel }): string {
  return `${channel} ${address}`;
}

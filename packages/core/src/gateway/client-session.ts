import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';

/** One connection of a client, as the gateway sees it. */
export interface ClientSession {
  readonly link: LinkId;
  readonly remote: string;
  /**
   * `greeting`: connected, and nothing is known of it. `open`: it introduced itself and was let in.
   * `leaving`: one side said goodbye; what is under way is still answered.
   */
  stage: 'greeting' | 'open' | 'leaving';
  /** When a greeting becomes too late. */
  readonly helloDeadline: Instant;
  paused: boolean;
  /** Answers that it has not read, as far as was told. */
  unreadBytes: number;
}

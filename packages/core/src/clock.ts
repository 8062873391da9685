import type { Instant } from './machine.ts';

/** The two clocks of a process. Machines never hold one: they are told. */
export interface Clock {
  /** Monotonic; starts anywhere; survives no restart. */
  now(): Instant;
  /** Milliseconds since 1970 as the operating system believes; may jump either way. */
  wallMs(): number;
}

/**
 * How a command ended, for scripts. Documented in `memgrid --help`; a number is never reused.
 */
export const EXIT = {
  good: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command line makes no sense; nothing was tried. */
  usage: 2,
  /** No node answered. */
  unreachable: 3,
  unauthorised: 4,
  notFound: 5,
  conflict: 6,
  /** The answer is valid and the cluster is not well. */
  degraded: 7,
  /** Some nodes did not answer: what is shown is incomplete. */
  partial: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The table of `memgrid --help`. */
export const EXIT_CODE_HELP = `Exit codes:
  0 good   1 failed   2 usage   3 no node reachable   4 not authorised   5 not found
  6 conflict   7 degraded: the answer is valid, the cluster is not well
  8 partial: some nodes did not answer`;

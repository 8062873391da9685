const PROBLEMS_SHOWN_MAX = 10;

/** The problems of a history, all of them, each with its line. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    // The message is for a terminal; a spoiled file of a million lines must not fill it.
    const more = problems.length - PROBLEMS_SHOWN_MAX;
    const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).join(' ');
    super(more > 0 ? `${shown} And ${more} more.` : shown);
    this.problems = problems;
  }
}

import { showDuration } from '../duration.ts';
import { paintFor } from '../output/paint.ts';
import { columnsOf } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';

export interface ProgressOptions {
  /** What is done: `importing`. */
  readonly label: string;
  /** What is counted: `lines`. */
  readonly unit: string;
  /** Undefined while nobody knows: then there is a count and no bar. */
  readonly total: number | undefined;
  /** False draws nothing, wherever it runs. */
  readonly shown: boolean;
  /** Milliseconds of any clock that does not go back. */
  readonly nowMs: () => number;
}

/** Drawn again at most this often: a terminal over a slow line must not slow the work down. */
const REDRAW_MS = 100;
const BAR_CELLS_MAX = 24;
/** A shorter bar says less than the number beside it. */
const BAR_CELLS_MIN = 5;

/**
 * How far a long piece of work is, on one line of stderr that is drawn over itself. Nothing is
 * drawn where stderr is no terminal.
 *
 * Written here: the libraries for it bring a dozen settings for what is a line and a carriage
 * return, and write to the process's own stream instead of the terminal they are given.
 */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #drawn: boolean;
  readonly #startedAt: number;
  #lastAt = -Infinity;
  #widest = 0;

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#drawn = options.shown && terminal.stderr.isTTY === true;
    this.#startedAt = options.nowMs();
  }

  /** @param note what else is worth a glance: `3 failed`. */
  update(done: number, note = ''): void {
    if (!this.#drawn) return;
    const now = this.#options.nowMs();
    if (now - this.#lastAt < REDRAW_MS) return;
    this.#lastAt = now;
    this.#draw(this.#line(done, note, now - this.#startedAt));
  }

  /** Clears the line, so that what comes next begins on an empty one. */
  end(): void {
    if (!this.#drawn || this.#widest === 0) return;
    this.#terminal.stderr.write(`\r${' '.repeat(this.#widest)}\r`);
    this.#widest = 0;
  }

  #line(done: number, note: string, elapsedMs: number): string {
    const { label, unit, total } = this.#options;
    const perSecond = elapsedMs < 1_000 ? 0 : (done * 1_000) / elapsedMs;
    // Seconds a second are no rate.
    const rate = perSecond === 0 || unit === 'seconds' ? '' : `${counted(Math.round(perSecond))}/s`;
    const rest =
      total === undefined
        ? [`${counted(done)} ${unit}`, rate]
        : [
            `${String(Math.floor((100 * done) / Math.max(total, 1))).padStart(3)} %`,
            `${counted(done)} of ${counted(total)} ${unit}`,
            rate,
            perSecond > 0 && done < total ? leftText(((total - done) * 1_000) / perSecond) : '',
          ];
    const words = [...rest, note].filter((part) => part !== '').join('  ');
    const room = this.#columns - 1 - label.length - words.length - 4;
    const cells = total === undefined ? 0 : Math.min(BAR_CELLS_MAX, room);
    if (cells < BAR_CELLS_MIN) return `${label}  ${words}`;
    return `${label}  ${this.#bar(done / Math.max(total ?? 1, 1), cells)}  ${words}`;
  }

  #bar(share: number, cells: number): string {
    const filled = Math.round(Math.min(1, share) * cells);
    const paint = paintFor(this.#terminal.stderr, this.#terminal);
    return paint('cyan', '█'.repeat(filled)) + paint('dim', '░'.repeat(cells - filled));
  }

  get #columns(): number {
    return columnsOf(this.#terminal.stderr, 80);
  }

  #draw(line: string): void {
    // A line that wraps cannot be drawn over.
    const columns = this.#columns;
    const plain = line.replaceAll(/\u001B\[\d+m/g, '');
    const shown = plain.length < columns ? line : plain.slice(0, columns - 1);
    const width = Math.min(plain.length, columns - 1);
    const padding = ' '.repeat(Math.max(0, this.#widest - width));
    this.#widest = Math.max(this.#widest, width);
    this.#terminal.stderr.write(`\r${shown}${padding}`);
  }
}

/** Nothing of less than half a second. */
function leftText(ms: number): string {
  const wholeMs = Math.round(ms / 1_000) * 1_000;
  return wholeMs === 0 ? '' : `${showDuration(wholeMs)} left`;
}

/** `12,345`, in every locale. */
export function counted(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

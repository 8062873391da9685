/**
 * Bytes or values that break the wire contract.
 *
 * The message names the place, what was expected and what was found, for instance
 * `ping.updates[3].nodeId: expected 16 bytes, got 12 bytes.`
 */
export class WireError extends Error {
  override readonly name = 'WireError';
  #path = '';
  readonly #detail: string;

  constructor(detail: string) {
    super(detail);
    this.#detail = detail;
  }

  /** Where in the value, outermost first; '' for the value itself. */
  get path(): string {
    return this.#path;
  }

  /** Called while unwinding, innermost first, so that valid input never pays for its path. */
  inside(segment: string): this {
    const joint = this.#path === '' || this.#path.startsWith('[') ? '' : '.';
    this.#path = `${segment}${joint}${this.#path}`;
    this.message = `${this.#path}: ${this.#detail}`;
    return this;
  }
}

/** Adds one step to the path of a `WireError`; anything else is a bug and passes unchanged. */
export function inside(error: unknown, segment: string): unknown {
  return error instanceof WireError ? error.inside(segment) : error;
}

export function expected(what: string, value: unknown): WireError {
  return new WireError(`expected ${what}, got ${shown(value)}.`);
}

const SHOWN_CHARS_MAX = 40;

/** A value cut down to what a log line can bear: it may come from a stranger. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return value.length > SHOWN_CHARS_MAX
        ? `${JSON.stringify(value.slice(0, SHOWN_CHARS_MAX))}… (${value.length} characters)`
        : JSON.stringify(value);
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return `a value of type ${typeof value}`;
  }
}

/** What every command with `--json` prints, on one line of stdout. */
export interface Envelope {
  readonly ok: boolean;
  readonly command: string;
  readonly data?: unknown;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    /** Of a write: with `--operation-id` it is asked for again, and never done twice. */
    readonly operationId?: string;
  };
  readonly warnings: readonly string[];
  readonly durationMs: number;
  /** Ids of the nodes that the answer comes from. */
  readonly answeredBy: readonly string[];
  /** Nodes that should have answered and did not. */
  readonly missing: readonly string[];
}

/** What a history can carry as a value: JSON, and nothing that JSON would change. */
export type HistoryValue =
  | null
  | boolean
  | number
  | string
  | readonly HistoryValue[]
  | { readonly [name: string]: HistoryValue };

/** `info` means that the outcome is unknown: it may take effect at any later time, or never. */
export type HistoryEventType = 'invoke' | 'ok' | 'fail' | 'info';

/** One line of a history: a client began an operation, or learned how it ended. */
export interface HistoryEvent {
  /** Its place in the history, from 0. What stands earlier happened earlier. */
  readonly index: number;
  /** A client that does one thing at a time. Not used again after an `info`. */
  readonly process: number;
  readonly type: HistoryEventType;
  /** The operation: `read`, `write`, `cas`, `delete`, `add`, … */
  readonly f: string;
  readonly key?: string;
  /** What was asked (`invoke`) or answered (`ok`). */
  readonly value?: HistoryValue;
  /** Nanoseconds since the recording began, on the recorder's clock: 104 days fit. */
  readonly time: number;
  readonly node?: string;
  readonly level?: string;
  readonly token?: string;
  /**
   * The version that an `ok` wrote or read, compared number by number from the left; `[]` is
   * older than all, which is how a read tells that there was nothing.
   */
  readonly version?: readonly number[];
}

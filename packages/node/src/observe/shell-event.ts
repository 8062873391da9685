/** What the shell itself tells: everything else comes from the machine as a `NodeEvent`. */
export type ShellEvent =
  | {
      readonly name: 'node.started';
      readonly version: string;
      readonly address: string;
      readonly httpAddress: string;
      readonly data: string;
      readonly startupMs: number;
    }
  | { readonly name: 'node.stopping'; readonly reason: 'drain' | 'close' | 'halt' | 'fault' }
  | { readonly name: 'node.stopped'; readonly code: string; readonly detail: string }
  /** The program is wrong, or the disk refused: this process ends. */
  | { readonly name: 'node.faulted'; readonly problem: string }
  | { readonly name: 'loop.stalled'; readonly stalledMs: number }
  | {
      readonly name: 'connection.refused';
      readonly reason: ConnectionRefusal;
      readonly remote: string;
    }
  | {
      readonly name: 'dial.failed';
      readonly address: string;
      readonly problem: DialProblemName;
      readonly detail: string;
    }
  /** A message of our own broke a limit and was dropped: a defect worth reporting. */
  | { readonly name: 'send.unencodable'; readonly type: string; readonly problem: string }
  | { readonly name: 'disk.failed'; readonly problem: string }
  /** Something on disk can not be believed any more; it comes back from another replica. */
  | { readonly name: 'disk.damaged'; readonly problem: string }
  /** A request over HTTP met a defect; it was answered with 500. */
  | { readonly name: 'http.failed'; readonly route: string; readonly problem: string }
  /** A reader of `events()` was too slow: this many events are missing before the next one. */
  | { readonly name: 'events.dropped'; readonly count: number };

export type ConnectionRefusal = 'path' | 'token' | 'browser' | 'strangers' | 'admissionTimeout';

export type DialProblemName = 'refused' | 'unreachable' | 'timeout';

import { LIMITS, type CommittedCommand, type LogIndex, type Term } from '@memgrid/protocol';

/** How many recent commands are kept for peers that fell behind, and their bytes. */
export const HISTORY = {
  commandsMax: 1024,
  bytesMax: 1024 * 1024,
  deltaBytesMax: 128 * 1024,
} as const;

/** The latest committed commands, so that a peer a little behind needs no whole snapshot. */
export class CommandHistory {
  #commands: CommittedCommand[] = [];
  #bytes = 0;
  /** Every command after this index is here. */
  #after: LogIndex;

  constructor(after: LogIndex) {
    this.#after = after;
  }

  add(index: LogIndex, term: Term, command: Uint8Array): void {
    this.#commands.push({ index, term, command });
    this.#bytes += command.length;
    while (this.#commands.length > HISTORY.commandsMax || this.#bytes > HISTORY.bytesMax) {
      const oldest = this.#commands.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.command.length;
      this.#after = oldest.index;
    }
  }

  /** Commands after `after`, as many as fit one message; undefined when some are gone already. */
  since(after: LogIndex): { commands: readonly CommittedCommand[]; complete: boolean } | undefined {
    if (after < this.#after) return undefined;
    const commands: CommittedCommand[] = [];
    let bytes = 0;
    for (const command of this.#commands) {
      if (command.index <= after) continue;
      bytes += command.command.length;
      const full = bytes > HISTORY.deltaBytesMax || commands.length >= LIMITS.appendEntriesMax;
      if (full && commands.length > 0) return { commands, complete: false };
      commands.push(command);
    }
    return { commands, complete: true };
  }
}

import { encodeCommand, WireError, type ControlCommand } from '@memgrid/protocol';
import type { ControlState } from '../control/control-state.ts';

/** Why a command makes no sense, before it costs everybody a place in the log. */
export function commandProblem(
  command: ControlCommand,
  state: ControlState | undefined,
): string | undefined {
  try {
    encodeCommand(command);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
  return state?.problemWith(command);
}

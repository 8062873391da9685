import type { AdminClient } from './admin-client.ts';
import { CommandError } from '../command-error.ts';

/**
 * Asks for a decision of the whole cluster: something that the control group has to commit.
 *
 * @throws CommandError, with the way out where nobody can decide because most voters are away.
 */
export async function decide(client: AdminClient, path: string, body: object): Promise<unknown> {
  try {
    return await client.post(path, body);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'NOT_READY') throw error;
    const { code, message, exitCode } = error;
    throw new CommandError(code, message, {
      exitCode,
      hint:
        '`memgrid status` tells who coordinates; ask again when somebody does. Are most voters lost ' +
        'for good, see `memgrid coordinator force-recover --help`.',
      cause: error,
    });
  }
}

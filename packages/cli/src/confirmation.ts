import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/**
 * Lets a person think before something that cannot be undone.
 *
 * @param lines what will happen, and what is lost by it.
 * @throws CommandError unless `yes` was given, or somebody types it.
 */
export async function confirmed(
  terminal: Terminal,
  { lines, yes }: { readonly lines: readonly string[]; readonly yes: boolean },
): Promise<void> {
  if (yes) return;
  if (terminal.ask === undefined) {
    throw new CommandError('NOT_CONFIRMED', `${lines.join(' ')} Nothing was changed.`, {
      exitCode: EXIT.usage,
      hint: 'This cannot be undone. --yes says that it is meant.',
    });
  }
  terminal.stderr.write(`${lines.join('\n')}\n`);
  const typed = await terminal.ask('This cannot be undone. Go on? [yes/No] ');
  if (typed.trim().toLowerCase() === 'yes') return;
  throw new CommandError('NOT_CONFIRMED', 'Nothing was changed.', { exitCode: EXIT.usage });
}

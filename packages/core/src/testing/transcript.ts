/** One line of a transcript: `suspect a by=b min=1000` is the verb, its words and its options. */
export interface TranscriptCommand {
  readonly verb: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** The whole line, for messages. */
  readonly line: string;
}

const DIVIDER = '----';

/**
 * Plays a transcript and returns it with the answers of today.
 *
 * A transcript is blocks with an empty line between them; a block is comments (`# …`), commands,
 * `----` and the answer. Compare the result with the file, and let the test runner rewrite it
 * when a change is meant. An exception of `perform` becomes an answer: refusals are worth showing.
 */
export function playTranscript(
  text: string,
  perform: (command: TranscriptCommand) => readonly string[],
): string {
  const blocks = text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== ''))
    .filter((lines) => lines.length > 0);
  return blocks.map((lines) => playBlock(lines, perform)).join('\n\n') + '\n';
}

function playBlock(
  lines: readonly string[],
  perform: (command: TranscriptCommand) => readonly string[],
): string {
  const divider = lines.indexOf(DIVIDER);
  const asked = divider < 0 ? lines : lines.slice(0, divider);
  const commands = asked.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return asked.join('\n');
  const answers = commands.flatMap((line) => perform(parseCommand(line)));
  return [...asked, DIVIDER, ...answers].join('\n');
}

/** Parses one command line. */
export function parseCommand(line: string): TranscriptCommand {
  const [verb = '', ...rest] = line.trim().split(/\s+/);
  const pairs = rest.filter((word) => word.includes('='));
  const options = Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return { verb, words: rest.filter((word) => !word.includes('=')), options, line };
}

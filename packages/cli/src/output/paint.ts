import { styleText } from 'node:util';
import type { TextSink, Terminal } from '../terminal.ts';

type Ink = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

/** Colours text for one stream, or leaves it as it is. */
export type Paint = (ink: Ink, text: string) => string;

/**
 * Colour belongs to a terminal only, and to nobody who said no: `NO_COLOR` with any value but
 * the empty one switches it off (https://no-color.org), `TERM=dumb` as well.
 */
export function paintFor(sink: TextSink, { environment }: Terminal): Paint {
  const refused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  if (sink.isTTY !== true || refused) return (_, text) => text;
  return (ink, text) => styleText(ink, text, { validateStream: false });
}

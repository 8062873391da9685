/** What every line carries; the rest is the event's own. */
interface LineHead {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly node?: string;
}

/** One JSON line as a person reads it: time, level, event, then the facts. */
export function textLine(json: string): string {
  const { time, level, event, node, generation, ...fields } = JSON.parse(json) as LineHead &
    Record<string, unknown>;
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`);
  const who = node === undefined ? '' : ` ${node.slice(0, 8)}.${String(generation)}`;
  return (
    `${time.slice(11, 23)} ${level.padEnd(5)}${who} ${event} ${facts.join(' ')}`.trimEnd() + '\n'
  );
}

function show(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined';
  return /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value);
}

import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Set to record what a version that is not released yet looks like. Bytes of a released version
 * are never recorded again: see `PROTOCOL_HISTORY`.
 */
export const recording: boolean = process.env['MEMGRID_RECORD_WIRE'] === '1';

const HEX_PER_LINE = /.{1,96}/g;

/** Golden bytes by name. A name is a line of its own; its bytes follow in hex, indented. */
export function readGolden(version: number, file: string): Map<string, Uint8Array> {
  const entries = new Map<string, string>();
  let name = '';
  for (const line of readTestdata(version, file).split('\n')) {
    if (line.startsWith('  ')) entries.set(name, (entries.get(name) ?? '') + line.trim());
    else if (line !== '') name = line;
  }
  return new Map([...entries].map(([key, hex]) => [key, fromHex(hex)]));
}

export function recordGolden(
  version: number,
  file: string,
  entries: readonly (readonly [name: string, bytes: Uint8Array])[],
): void {
  const text = entries.map(([name, bytes]) => {
    const lines = toHex(bytes).match(HEX_PER_LINE) ?? [];
    return `${name}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  });
  recordTestdata(version, file, text.join('\n'));
}

export function readTestdata(version: number, file: string): string {
  return readFileSync(urlOf(version, file), 'utf8');
}

export function recordTestdata(version: number, file: string, text: string): void {
  writeFileSync(urlOf(version, file), text);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function urlOf(version: number, file: string): URL {
  return new URL(`v${version}/${file}.txt`, import.meta.url);
}

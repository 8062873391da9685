import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  CLIENT_MESSAGE_TYPES,
  decodeClientMessage,
  decodeEnvelope,
  encodeClientMessage,
  encodeEnvelope,
  MESSAGE_TYPES,
  PROTOCOL,
  PROTOCOL_HISTORY,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';

const TESTDATA = new URL('../../packages/protocol/src/testdata/', import.meta.url);
/** What nodes and clients say to each other has no envelope. */
const CLIENTS = 'client.txt';
const spoken = PROTOCOL_HISTORY.filter((line) => line.version >= PROTOCOL.min);

interface Golden {
  readonly version: number;
  readonly file: string;
  readonly name: string;
  readonly hex: string;
}

/** What the processes of one version wrote, exactly as its release recorded it. */
function goldenOf(version: number): Golden[] {
  const folder = new URL(`v${version}/`, TESTDATA);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt') && !['contract.txt', CLIENTS].includes(file))
    .flatMap((file) =>
      entriesOf(readFileSync(new URL(file, folder), 'utf8')).map((entry) => {
        return { version, file, ...entry };
      }),
    );
}

function entriesOf(text: string): { name: string; hex: string }[] {
  return text
    .split(/\n(?! )\n*/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [name = '', ...lines] = entry.split('\n');
      return { name, hex: lines.map((line) => line.trim()).join('') };
    });
}

const golden = spoken.flatMap((line) => goldenOf(line.version));

test.each(golden)('version $version, $file: this build reads $name', ({ version, hex }) => {
  const decoded = decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')));
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
  expect(decoded.envelope.version).toBe(version);
  const again = decodeEnvelope(encodeEnvelope(decoded.envelope));
  expect(again).toEqual(decoded);
  // The newest version is also written as it was recorded, byte for byte.
  if (version === PROTOCOL.max) {
    expect(Buffer.from(encodeEnvelope(decoded.envelope)).toString('hex')).toBe(hex);
  }
});

const clients = spoken.flatMap(({ version }) =>
  entriesOf(readFileSync(new URL(`v${version}/${CLIENTS}`, TESTDATA), 'utf8')).map((entry) => {
    return { version, ...entry };
  }),
);

test.each(clients)('version $version, clients: this build reads $name', ({ version, hex }) => {
  const decoded = decodeClientMessage(Uint8Array.from(Buffer.from(hex, 'hex')));
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
  const again = encodeClientMessage(decoded.message);
  expect(decodeClientMessage(again)).toEqual(decoded);
  if (version === PROTOCOL.max) expect(Buffer.from(again).toString('hex')).toBe(hex);
});

test('every message between nodes and clients has golden bytes', () => {
  const seen = clients.map(({ hex }) => {
    const decoded = decodeClientMessage(Uint8Array.from(Buffer.from(hex, 'hex')));
    return decoded.kind === 'message' ? decoded.message.type : decoded.kind;
  });
  expect([...new Set(seen)].sort()).toEqual(Object.keys(CLIENT_MESSAGE_TYPES).sort());
});

test.each(spoken)('version $version has golden bytes for every message of its time', (line) => {
  const seen = new Set(
    goldenOf(line.version).map(({ hex }) => {
      const decoded = decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')));
      return decoded.kind === 'message' ? decoded.envelope.message.type : decoded.kind;
    }),
  );
  const contract = readFileSync(new URL(`v${line.version}/contract.txt`, TESTDATA), 'utf8');
  const types = [...contract.matchAll(/^message (\d+) (\w+) /gm)].map(([, number, type = '']) => {
    return [type, Number(number)] as const;
  });
  expect([...seen].sort()).toEqual(types.map(([type]) => type).sort());
  expect(MESSAGE_TYPES).toMatchObject(Object.fromEntries(types));
});

test('a build without the native part of msgpackr reads and writes the same bytes', () => {
  const script = `
    import { decodeEnvelope, encodeEnvelope } from '@memgrid/protocol';
    import { isNativeAccelerationEnabled } from 'msgpackr';
    const lines = JSON.parse(process.argv[1]).map((hex) => {
      const decoded = decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')));
      return Buffer.from(encodeEnvelope(decoded.envelope)).toString('hex');
    });
    console.log(JSON.stringify({ native: isNativeAccelerationEnabled, lines }));
  `;
  const lines = goldenOf(PROTOCOL.max).map(({ hex }) => hex);
  const output = execFileSync(
    process.execPath,
    ['--conditions=memgrid-source', '--input-type=module', '--eval', script, JSON.stringify(lines)],
    {
      // Where msgpackr can be found: it is a dependency of the protocol and of nobody else.
      cwd: fileURLToPath(new URL('../../packages/protocol/', import.meta.url)),
      env: { ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' },
      encoding: 'utf8',
    },
  );
  expect(JSON.parse(output)).toEqual({ native: false, lines });
});

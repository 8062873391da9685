import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isClusterError } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readConfigFile } from './config-file.ts';
import type { NodeOptions } from './node-config.ts';
import { OPTION_NAMES, OPTIONS, environmentName, flagName } from './option-table.ts';
import { resolveConfig } from './resolve-config.ts';
import type { ConfigSources } from './resolve-config.ts';

const TOKEN = 'a-secret-of-good-length';

/** The problems that these sources have; empty when they resolve. */
function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    resolveConfig(sources);
    return [];
  } catch (error) {
    if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
    return error.details.problems;
  }
}

test('without any source every option has its default', () => {
  const { config, origins } = resolveConfig({});
  expect(config.listen).toBe('127.0.0.1:7700');
  expect(config.http).toBe('127.0.0.1:7780');
  expect(config.data).toBe(path.resolve('memgrid-data'));
  expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  expect(Object.keys(config)).toEqual(OPTION_NAMES);
});

test('a flag beats the environment, the environment beats the file, the file beats the default', () => {
  const file = { path: 'memgrid.json', content: { zone: 'file', weight: 2, expect: 1 } };
  const environment = { MEMGRID_ZONE: 'environment', MEMGRID_WEIGHT: '3', HOME: '/root' };
  const { config, origins } = resolveConfig({ flags: { zone: 'flag' }, environment, file });
  expect(config).toMatchObject({ zone: 'flag', weight: 3, expect: 1, votersMax: 0 });
  expect(origins).toMatchObject({
    zone: 'flag',
    weight: 'environment',
    expect: 'file',
    votersMax: 'default',
  });
});

test('a resolved configuration resolves to itself', () => {
  const { config } = resolveConfig({ flags: { seeds: ['127.0.0.1:1'], expect: 3, token: TOKEN } });
  expect(resolveConfig({ flags: config }).config).toEqual(config);
});

test('text from flags and the environment means the same as values from a file', () => {
  const asText = {
    MEMGRID_SEEDS: 'a:1, b:2,',
    MEMGRID_EXPECT: '3',
    MEMGRID_INSECURE_NETWORK: 'true',
  };
  const asValues = { seeds: ['a:1', 'b:2'], expect: 3, insecureNetwork: true };
  expect(resolveConfig({ environment: asText }).config).toEqual(
    resolveConfig({ file: { path: 'x', content: asValues } }).config,
  );
});

test('all problems are reported at once, each with its own values and source', () => {
  const problems = problemsOf({
    flags: { expect: 0 } as NodeOptions,
    environment: { MEMGRID_WEIGHT: '2000', MEMGRID_ZNOE: 'a' },
    file: { path: '/etc/memgrid.json', content: { voterMax: 3, votersMax: 4, listen: 'here' } },
  });
  expect(problems).toEqual([
    'The environment variable MEMGRID_ZNOE is not an option of memgrid. Did you mean MEMGRID_ZONE?',
    'The key voterMax in /etc/memgrid.json is not an option of memgrid. Did you mean votersMax?',
    'listen in /etc/memgrid.json must be host:port with a port from 0 to 65535, not "here".',
    '--expect must be a whole number, from 1 to 64, not 0.',
    'MEMGRID_WEIGHT must be a whole number, from 1 to 1000, not "2000".',
    'votersMax in /etc/memgrid.json must be a whole number, odd or 0, from 0 to 7, not 4.',
  ]);
});

test('an unknown name that resembles nothing gets no suggestion', () => {
  expect(problemsOf({ environment: { MEMGRID_XYZZYPLUGH: '1' } })).toEqual([
    'The environment variable MEMGRID_XYZZYPLUGH is not an option of memgrid.',
  ]);
});

test('variables of others are left alone when they are named', () => {
  const environment = { MEMGRID_CONFIG: 'x', MEMGRID_NODE: 'y' };
  expect(problemsOf({ environment, foreignEnvironment: ['MEMGRID_NODE'] })).toEqual([]);
});

test.each<[string, NodeOptions, RegExp]>([
  ['expect without seeds', { expect: 3 }, /^expect \(3\) needs seeds \(0 given\)/],
  [
    'one port for both listeners',
    { listen: '127.0.0.1:7', http: '127.0.0.1:7' },
    /^listen \(127\.0\.0\.1:7\) and http \(127\.0\.0\.1:7\) must not share a port\.$/,
  ],
  [
    'one port on every interface',
    { listen: '0.0.0.0:7', http: '127.0.0.1:7', advertise: 'a:7', insecureNetwork: true },
    /must not share a port/,
  ],
  [
    'a wildcard that nobody can dial',
    { listen: '0.0.0.0:7700', insecureNetwork: true },
    /^listen \(0\.0\.0\.0:7700\) is every interface .* advertise must say/,
  ],
  [
    'a wildcard as advertised address',
    { advertise: '0.0.0.0:1' },
    /must be an address that others/,
  ],
  [
    'remote seeds and a loopback address',
    { seeds: ['10.0.0.2:7700'] },
    /^The seed 10\.0\.0\.2:7700 is on another machine .* 127\.0\.0\.1:7700/,
  ],
  [
    'an open address without TLS and token',
    { listen: '10.0.0.1:7700' },
    /^listen \(10\.0\.0\.1:7700\) is open .* without TLS and a token\. .*tlsCert.*--insecure-network/,
  ],
  [
    'an open HTTP address with a token only',
    { http: '10.0.0.1:7780', token: TOKEN },
    /^http \(10\.0\.0\.1:7780\) is open to the network without TLS\. /,
  ],
  ['half of TLS', { tlsCert: import.meta.filename }, /tlsKey and tlsCa missing/],
  ['a file as data directory', { data: import.meta.filename }, /must be a directory; it is a file/],
  ['a zone that is too long', { zone: 'z'.repeat(65) }, /must be at most 64 bytes long, not 65/],
  ['a short token', { token: 'short' }, /must be 16 to 512 characters long, not 5/],
])('%s is refused', (_name, flags, wanted) => {
  const problems = problemsOf({ flags });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(wanted);
});

test('TLS files that do not exist are reported together', () => {
  const flags = { tlsCert: '/no/cert', tlsKey: '/no/key', tlsCa: '/no/ca' };
  expect(problemsOf({ flags })).toEqual([
    'tlsCert (/no/cert) must be a file; there is none.',
    'tlsKey (/no/key) must be a file; there is none.',
    'tlsCa (/no/ca) must be a file; there is none.',
  ]);
});

test.each<[string, NodeOptions]>([
  ['an explicit opt-in', { listen: '10.0.0.1:7700', insecureNetwork: true }],
  ['the same port 0 twice', { listen: '127.0.0.1:0', http: '127.0.0.1:0' }],
  ['no HTTP at all', { http: 'none' }],
  ['one port on different addresses', { listen: '127.0.0.1:7', http: '127.0.0.2:7' }],
])('%s is fine', (_name, flags) => {
  expect(problemsOf({ flags })).toEqual([]);
});

test('a token never appears in a problem', () => {
  const secret = 'very secret';
  expect(JSON.stringify(problemsOf({ flags: { token: secret } }))).not.toContain(secret);
});

test('whatever JSON the file holds, the answer is a configuration or a list of problems', () => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('127.0.0.1:1', 'none', '', 'lan', true));
  const content = fc.dictionary(fc.constantFrom<string>(...OPTION_NAMES), values);
  fc.assert(
    fc.property(fc.oneof(content, fc.jsonValue()), (file) => {
      for (const problem of problemsOf({ file: { path: 'f', content: file } })) {
        expect(problem).toMatch(/\.$/);
      }
    }),
  );
});

test('every option has a flag, a variable and a text that ends like a sentence', () => {
  expect(flagName('insecureNetwork')).toBe('--insecure-network');
  expect(environmentName('votersMax')).toBe('MEMGRID_VOTERS_MAX');
  for (const name of OPTION_NAMES) {
    expect(OPTIONS[name].text).toMatch(/^[A-Za-z].*\.$/s);
    expect(OPTIONS[name].type.read(OPTIONS[name].default)).toHaveProperty('value');
  }
});

test('a file that was named must be there and be JSON; the usual one may be missing', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-config-'));
  try {
    expect(readConfigFile(undefined, directory)).toBeUndefined();
    expect(() => readConfigFile('mine.json', directory)).toThrow(
      /mine\.json can not be read \(ENOENT/,
    );
    writeFileSync(path.join(directory, 'memgrid.json'), '{"zone": "a"}');
    expect(readConfigFile(undefined, directory)?.content).toEqual({ zone: 'a' });
    writeFileSync(path.join(directory, 'memgrid.json'), '{"zone": ');
    expect(() => readConfigFile(undefined, directory)).toThrow(/memgrid\.json is not JSON: /);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

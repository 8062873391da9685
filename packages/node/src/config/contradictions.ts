import { statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { isIP } from 'node:net';
import { isLoopback, isWildcard, parseAddress } from '../address.ts';
import type { Address } from '../address.ts';
import type { NodeConfig, OptionName } from './node-config.ts';

type Check = (config: NodeConfig) => readonly string[];

/** Each check with the options it compares: it is skipped when one of them could not be read. */
const CHECKS: readonly { readonly reads: readonly OptionName[]; readonly check: Check }[] = [
  { reads: ['expect', 'seeds'], check: expectWithoutSeeds },
  { reads: ['listen', 'http'], check: samePort },
  { reads: ['listen', 'advertise'], check: wildcardWithoutAdvertise },
  { reads: ['listen', 'advertise', 'seeds'], check: loopbackAmongRemoteSeeds },
  { reads: ['tlsCert', 'tlsKey', 'tlsCa'], check: partialTls },
  {
    reads: ['listen', 'http', 'tlsCert', 'token', 'insecureNetwork'],
    check: openToTheNetwork,
  },
  { reads: ['data'], check: dataIsNoDirectory },
  { reads: ['tlsCert', 'tlsKey', 'tlsCa'], check: missingFiles },
];

/** Sentences about values that are fine alone and wrong together, or wrong on this machine. */
export function contradictions(config: NodeConfig, unread: ReadonlySet<OptionName>): string[] {
  return CHECKS.filter(({ reads }) => !reads.some((name) => unread.has(name))).flatMap(
    ({ check }) => check(config),
  );
}

function expectWithoutSeeds(config: NodeConfig): string[] {
  if (config.expect === 1 || config.seeds.length > 0) return [];
  return [
    `expect (${config.expect}) needs seeds (0 given): this node would wait for others that it ` +
      'has no way to find.',
  ];
}

function samePort(config: NodeConfig): string[] {
  const listen = parseAddress(config.listen);
  const http = parseAddress(config.http);
  if (listen === undefined || http === undefined) return [];
  if (listen.port === 0 || listen.port !== http.port || !overlap(listen, http)) return [];
  return [`listen (${config.listen}) and http (${config.http}) must not share a port.`];
}

function overlap(a: Address, b: Address): boolean {
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}

function wildcardWithoutAdvertise(config: NodeConfig): string[] {
  const listen = parseAddress(config.listen);
  const advertise = parseAddress(config.advertise);
  if (advertise !== undefined && isWildcard(advertise.host)) {
    return [`advertise (${config.advertise}) must be an address that others can dial.`];
  }
  if (listen === undefined || !isWildcard(listen.host) || advertise !== undefined) return [];
  return [
    `listen (${config.listen}) is every interface of this machine, so advertise must say which ` +
      'address others dial; it is empty.',
  ];
}

function loopbackAmongRemoteSeeds(config: NodeConfig): string[] {
  const advertised = config.advertise === '' ? config.listen : config.advertise;
  const own = parseAddress(advertised);
  if (own === undefined || !isLoopback(own.host)) return [];
  const remote = config.seeds.find((seed) => {
    const host = parseAddress(seed)?.host;
    // A name may well stand for this machine; only a literal address is certain not to.
    return host !== undefined && isIP(host) !== 0 && !isLoopback(host) && !isWildcard(host);
  });
  if (remote === undefined) return [];
  return [
    `The seed ${remote} is on another machine and can not dial this node at ${advertised}, which ` +
      'is loopback: set listen and advertise.',
  ];
}

function partialTls(config: NodeConfig): string[] {
  const files = { tlsCert: config.tlsCert, tlsKey: config.tlsKey, tlsCa: config.tlsCa };
  const missing = Object.entries(files).filter(([, path]) => path === '');
  if (missing.length === 0 || missing.length === 3) return [];
  const names = missing.map(([name]) => name).join(' and ');
  return [`tlsCert, tlsKey and tlsCa belong together: ${names} missing.`];
}

function openToTheNetwork(config: NodeConfig): string[] {
  if (config.insecureNetwork || (config.tlsCert !== '' && config.token !== '')) return [];
  const lacking = [
    ...(config.tlsCert === '' ? ['TLS'] : []),
    ...(config.token === '' ? ['a token'] : []),
  ].join(' and ');
  return (['listen', 'http'] as const).flatMap((name) => {
    const host = parseAddress(config[name])?.host;
    if (host === undefined || isLoopback(host)) return [];
    return [
      `${name} (${config[name]}) is open to the network without ${lacking}. Either set tlsCert, ` +
        'tlsKey, tlsCa and token, or, on a network where everybody is trusted, insecureNetwork ' +
        '(--insecure-network).',
    ];
  });
}

function dataIsNoDirectory(config: NodeConfig): string[] {
  const found = entryAt(config.data);
  if (found === undefined || found.isDirectory()) return [];
  return [`data (${config.data}) must be a directory; it is a file.`];
}

function missingFiles(config: NodeConfig): string[] {
  return (['tlsCert', 'tlsKey', 'tlsCa'] as const).flatMap((name) => {
    const path = config[name];
    if (path === '' || entryAt(path)?.isFile() === true) return [];
    return [`${name} (${path}) must be a file; there is none.`];
  });
}

function entryAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A directory on the way may not be entered. Opening the data directory says so precisely;
    // for the files of TLS "there is none" is true for this user.
    return undefined;
  }
}

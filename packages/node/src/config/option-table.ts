import { LIMITS, SHARD_COUNT_DEFAULT, SHARD_COUNT_MAX, SHARD_COUNT_MIN } from '@memgrid/protocol';
import type { NodeConfig, OptionName } from './node-config.ts';
import {
  address,
  addressList,
  choice,
  directory,
  file,
  flag,
  secret,
  text,
  wholeNumber,
} from './option-type.ts';
import type { OptionType } from './option-type.ts';

const MEBIBYTE = 1024 * 1024;
const TEBIBYTE = MEBIBYTE * MEBIBYTE;

/** One knob: everything that flags, environment, file, help and documents say about it. */
export interface Option<T> {
  readonly type: OptionType<T>;
  readonly default: T;
  /** What it means; which way to turn it and what that costs. */
  readonly text: string;
}

/**
 * Every option of a node, once. The flag, the environment variable, the key in `memgrid.json`,
 * the help text and the resolved configuration are all derived from this table.
 */
export const OPTIONS: { readonly [Name in OptionName]: Option<NodeConfig[Name]> } = {
  data: {
    type: directory(),
    default: './memgrid-data',
    text:
      'Directory for everything this node must remember. One process at a time. Put it on a disk ' +
      'with fast synchronous writes: each election and each control change waits for one.',
  },
  listen: {
    type: address({ portZero: true }),
    default: '127.0.0.1:7700',
    text:
      'Where this node accepts peers and clients. Port 0 takes any free one. Another address than ' +
      'loopback lets other machines in and needs TLS and a token, or insecureNetwork.',
  },
  advertise: {
    type: address({ portZero: false, emptyMeans: 'the listening address' }),
    default: '',
    text:
      'The address that peers are told to dial, when it differs from the listening one: behind ' +
      'address translation, in a container, or when listening on every interface.',
  },
  http: {
    type: address({ portZero: true, otherwise: 'none' }),
    default: '127.0.0.1:7780',
    text:
      "Where health, metrics and status are served over HTTP, or 'none'. Without it nothing can " +
      'probe this node, and the command line cannot ask it.',
  },
  seeds: {
    type: addressList(LIMITS.seedsMax),
    default: [],
    text:
      'Addresses of nodes to ask first; the node itself may be among them. Two or three that start ' +
      'early are enough: the rest is discovered. More cost one idle dial every ten seconds each ' +
      'while the cluster is out of sight.',
  },
  expect: {
    type: wholeNumber({ min: 1, max: LIMITS.foundingPeersMax, unit: 'nodes' }),
    default: 1,
    text:
      'How many nodes found a new cluster together. The same on each of them. Higher keeps two ' +
      'halves from founding two clusters, but all of them must be up once, at the beginning. ' +
      'Without meaning once the cluster exists.',
  },
  zone: {
    type: text({ bytesMax: LIMITS.zoneBytesMax, pattern: /^[A-Za-z0-9._/-]+$/ }),
    default: 'default',
    text:
      'What fails together with this node: a host, a rack, a data centre. Votes and copies are ' +
      'spread over zones, so nodes that share a host should share a zone.',
  },
  weight: {
    type: wholeNumber({ min: 1, max: 1000, unit: 'parts' }),
    default: 100,
    text:
      'The share of the data this node takes, relative to the others. Twice the number, twice the ' +
      'data and twice the load.',
  },
  profile: {
    type: choice(['local', 'lan', 'wan']),
    default: 'lan',
    text:
      'How long to wait before a silent peer is doubted: local for one machine, lan for one data ' +
      'centre, wan between sites. A shorter profile finds failures sooner and, on a slower ' +
      'network, accuses healthy nodes. The same on every node.',
  },
  votersMax: {
    type: wholeNumber({ min: 0, max: LIMITS.votersMax, unit: 'voters', odd: true }),
    default: 0,
    text:
      'Upper limit for the votes of the control group: 1, 3, 5 or 7; 0 derives it from the size of ' +
      'the cluster. More survive more failures and make each decision wait for more disks.',
  },
  shards: {
    type: wholeNumber({
      min: SHARD_COUNT_MIN,
      max: SHARD_COUNT_MAX,
      unit: 'shards',
      powerOfTwo: true,
    }),
    default: SHARD_COUNT_DEFAULT,
    text:
      'Into how many parts a new cluster divides its entries, for ever; a power of two. More spread ' +
      'evenly over more nodes, fewer start faster: 4096 above 64 nodes, 64 on a laptop. Without ' +
      'meaning once the cluster exists.',
  },
  replicas: {
    type: wholeNumber({ min: 1, max: LIMITS.replicasMax, unit: 'copies' }),
    default: 3,
    text:
      'How many nodes hold each entry of a new cluster. A majority of them must be up to write: 3 ' +
      'survive one failure, 5 two, at the price of memory and of waiting for more disks. Without ' +
      'meaning once the cluster exists.',
  },
  memoryBytesMax: {
    type: wholeNumber({ min: MEBIBYTE, max: TEBIBYTE, unit: 'bytes' }),
    default: 768 * MEBIBYTE,
    text:
      'What entries may take in memory, outside the JavaScript heap. Above it values that are on disk ' +
      'are dropped from memory, those not used for long first, and read back when asked for. About ' +
      '450 bytes for an entry of 300; a key that does not fit counts as well. The whole process ' +
      'takes some 200 MiB more.',
  },
  storageBytesMax: {
    type: wholeNumber({ min: 0, max: 512 * TEBIBYTE, unit: 'bytes' }),
    default: 0,
    text:
      'What the data directory may take. Above it writes of entries are refused (STORAGE_FULL); ' +
      'what the cluster itself must remember is still written. 0 sets no limit but keeps 128 MiB of ' +
      'the disk free.',
  },
  logLevel: {
    type: choice(['error', 'warn', 'info', 'debug', 'silent']),
    default: 'info',
    text:
      'How much is logged. error: a person must act. warn: it healed itself. info: a state ' +
      'changed. debug adds about ten lines a second in a cluster under load.',
  },
  logFormat: {
    type: choice(['json', 'text']),
    default: 'json',
    text: 'json for machines, one object a line; text for a terminal.',
  },
  tlsCert: {
    type: file(),
    default: '',
    text:
      'PEM file with the certificate of this node. It must name the advertised host, for servers and ' +
      'for clients: the node is both. Needs tlsKey and tlsCa.',
  },
  tlsKey: {
    type: file(),
    default: '',
    text: 'PEM file with the private key of tlsCert. Readable by this user only.',
  },
  tlsCa: {
    type: file(),
    default: '',
    text:
      'PEM file with the authority that signed the certificates of all nodes. Peers must show a ' +
      'certificate of it, in both directions.',
  },
  token: {
    type: secret({ bytesMin: 16, bytesMax: 512 }),
    default: '',
    text:
      'A secret that peers, clients and operators must show. The same on every node. Prefer the ' +
      'environment or the file: a flag is visible to every user of the machine.',
  },
  insecureNetwork: {
    type: flag(),
    default: false,
    text:
      'Allows an address other than loopback without TLS and a token. Everybody who can reach the ' +
      'port can then read, change and stop the cluster: only behind a network of your own.',
  },
};

/** In the order in which help shows them. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** `votersMax` is `--voters-max` on the command line. */
export function flagName(name: OptionName): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `votersMax` is `MEMGRID_VOTERS_MAX` in the environment. */
export function environmentName(name: OptionName): string {
  return `MEMGRID_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

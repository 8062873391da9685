import { resolveConfig } from '@memgrid/node/config';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readRepositoryFile } from '../tidy/repository.ts';

// There may be no container engine where the tests run, so the files are read, and what they say
// to a node goes through the node's own configuration.

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly start_period: string };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, unknown>>;
}

const compose = parse(readRepositoryFile('docker-compose.yml'), { merge: true }) as Compose;
const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith('node-'));

test('three nodes with a volume, a health check and time to leave', () => {
  expect(nodes).toHaveLength(3);
  for (const [name, service] of nodes) {
    expect(service.build).toBe('.');
    expect(service.healthcheck?.test[0]).toBe('CMD');
    expect(service.healthcheck?.test.join(' ')).toContain('/readyz');
    expect(service.volumes).toEqual([`${name}:/data`]);
    expect(Object.keys(compose.volumes)).toContain(name);
    expect(service.stop_grace_period).toBe('30s');
  }
});

test.each(nodes)('the environment of %s is a good configuration', (name, service) => {
  const { config } = resolveConfig({ environment: service.environment ?? {} });
  expect(config.advertise).toBe(`${name}:7700`);
  expect(config.expect).toBe(nodes.length);
  expect(config.seeds).toEqual(nodes.map(([other]) => `${other}:7700`));
});

test('only loopback is published: the network inside has no TLS', () => {
  const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  const published = ports.map((port) => port.split(':')[1]);
  expect(new Set(published).size).toBe(published.length);
});

test('every network, volume and dependency that is named exists', () => {
  for (const service of Object.values(compose.services)) {
    for (const network of service.networks ?? []) {
      expect(Object.keys(compose.networks)).toContain(network);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(condition).toBe('service_healthy');
      expect(compose.services[other]?.healthcheck).toBeDefined();
    }
  }
});

test('the image runs the sources that exist, as nobody special', () => {
  const dockerfile = readRepositoryFile('Dockerfile');
  expect(dockerfile).toMatch(/^USER node$/m);
  const entry = /^ENTRYPOINT (\[.+\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const words = JSON.parse(entry) as readonly string[];
  expect(words[0]).toBe('node');
  expect(readRepositoryFile(words.at(-1) ?? '').length).toBeGreaterThan(0);
  expect(dockerfile).toContain(`FROM node:${readRepositoryFile('.nvmrc').trim()}-slim`);
});

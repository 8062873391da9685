import type { DefineCommand } from './command-context.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loaded only when this command was typed: nobody waits for what another command needs. */
  readonly load: () => Promise<DefineCommand>;
}

/** Every command, in the order in which help shows them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'start a whole cluster on this machine, for trying things out',
    load: async () => (await import('./commands/dev.ts')).defineDev,
  },
  {
    name: 'start',
    summary: 'run one node',
    load: async () => (await import('./commands/start.ts')).defineStart,
  },
  {
    name: 'status',
    summary: 'one glance at the whole cluster',
    load: async () => (await import('./commands/status.ts')).defineStatus,
  },
  {
    name: 'members',
    summary: 'every member, its role and how it is',
    load: async () => (await import('./commands/members.ts')).defineMembers,
  },
  {
    name: 'coordinator',
    summary: 'show the coordinator, or hand its role over',
    load: async () => (await import('./commands/coordinator.ts')).defineCoordinator,
  },
  {
    name: 'shards',
    summary: 'who holds what, and what is on the move',
    load: async () => (await import('./commands/shards.ts')).defineShards,
  },
  {
    name: 'drain',
    summary: 'empty a node, so that it can be stopped',
    load: async () => (await import('./commands/drain.ts')).defineDrain,
  },
  {
    name: 'expel',
    summary: 'give up a node that is dead for good',
    load: async () => (await import('./commands/expel.ts')).defineExpel,
  },
  {
    name: 'revive',
    summary: 'let shards go on that lost their majority to expelled nodes',
    load: async () => (await import('./commands/revive.ts')).defineRevive,
  },
  {
    name: 'orphans',
    summary: 'writes that came back too late: look, merge or drop',
    load: async () => (await import('./commands/orphans.ts')).defineOrphans,
  },
  {
    name: 'put',
    summary: 'store an entry',
    load: async () => (await import('./commands/put.ts')).definePut,
  },
  {
    name: 'get',
    summary: 'show one entry',
    load: async () => (await import('./commands/get.ts')).defineGet,
  },
  {
    name: 'update',
    summary: 'change parts of an entry',
    load: async () => (await import('./commands/update.ts')).defineUpdate,
  },
  {
    name: 'delete',
    summary: 'forget an entry',
    load: async () => (await import('./commands/delete.ts')).defineDelete,
  },
  {
    name: 'list',
    summary: 'the entries of an owner',
    load: async () => (await import('./commands/list.ts')).defineList,
  },
  {
    name: 'history',
    summary: 'the life of one entry',
    load: async () => (await import('./commands/history.ts')).defineHistory,
  },
  {
    name: 'watch',
    summary: 'changes as they happen',
    load: async () => (await import('./commands/watch.ts')).defineWatch,
  },
  {
    name: 'import',
    summary: 'store the lines of a file, each once',
    load: async () => (await import('./commands/import.ts')).defineImport,
  },
  {
    name: 'export',
    summary: 'write entries as lines',
    load: async () => (await import('./commands/export.ts')).defineExport,
  },
  {
    name: 'verify',
    summary: 'compare what the replicas hold',
    load: async () => (await import('./commands/verify.ts')).defineVerify,
  },
  {
    name: 'schema',
    summary: 'what the entries of a namespace look like',
    load: async () => (await import('./commands/schema.ts')).defineSchema,
  },
  {
    name: 'workload',
    summary: 'drive a running cluster and judge what its clients saw',
    load: async () => (await import('./commands/workload.ts')).defineWorkload,
  },
  {
    name: 'bench',
    summary: 'throughput and latency of a running cluster',
    load: async () => (await import('./commands/bench.ts')).defineBench,
  },
  {
    name: 'simulate',
    summary: 'a whole cluster in one process: your faults, one seed, one timeline',
    load: async () => (await import('./commands/simulate.ts')).defineSimulate,
  },
  {
    name: 'config',
    summary: 'check or show the configuration a node would start with',
    load: async () => (await import('./commands/config.ts')).defineConfig,
  },
];

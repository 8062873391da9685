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

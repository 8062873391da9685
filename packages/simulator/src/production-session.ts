import { Session, SESSION_DEFAULTS } from '@memgrid/core';
import type { SessionFactory } from './data-workload.ts';

/** What every application of a simulated day runs unless a test says otherwise. */
export const productionSession: SessionFactory = ({ addresses, now, random }) =>
  new Session({
    seeds: addresses,
    name: 'application',
    version: '0',
    config: SESSION_DEFAULTS,
    random,
    now,
    nearStore: undefined,
  });

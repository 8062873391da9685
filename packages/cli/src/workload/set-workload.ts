import { setTimeout as pause } from 'node:timers/promises';
import type { Namespace } from '@memgrid/client';
import { checkSet, type HistoryEvent } from '@memgrid/simulator';
import {
  recorded,
  type Pacer,
  type Workload,
  type WorkloadOptions,
  type WorkloadVerdict,
} from './workload.ts';

/** How long the last read of a set may take, retries included: longer than any fail-over. */
const FINAL_READ_MS = 60_000;
const FINAL_PAUSE_MS = 200;
const PAGE_ENTRIES = 1_000;

/** Adds elements to sets, one entry each, and looks at the end whether all of them are there. */
export class SetWorkload implements Workload {
  readonly #options: WorkloadOptions;
  readonly #used = new Set<number>();
  #element = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  async client(pacer: Pacer): Promise<void> {
    const { open, namespace, processes, keys, random, log } = this.#options;
    const grid = await open();
    try {
      const entries = grid.namespace(namespace);
      let process = processes.take();
      while (await pacer.turn()) {
        const at = Math.floor(random() * keys);
        this.#used.add(at);
        const value = (this.#element += 1);
        const key = this.#keyOf(at);
        const begun = { process, key, f: 'add', value, level: 'quorum' };
        const attempt = await recorded(log, begun, async () => {
          await entries.put({ id: elementId(key, value), userId: key, content: String(value) });
          return {};
        });
        if (!attempt.ok && attempt.unknown) process = processes.take();
      }
    } finally {
      await grid.close();
    }
  }

  async finish(hurry: AbortSignal): Promise<void> {
    const grid = await this.#options.open();
    try {
      const process = this.#options.processes.take();
      const entries = grid.namespace(this.#options.namespace);
      for (const at of [...this.#used].toSorted((a, b) => a - b)) {
        await this.#readFinally(entries, { at, process, hurry });
      }
    } finally {
      await grid.close();
    }
  }

  judge(events: readonly HistoryEvent[]): WorkloadVerdict {
    const verdict = checkSet(events);
    const facts = { ...verdict.counts };
    switch (verdict.kind) {
      case 'valid':
        return { kind: 'valid', problems: [], facts };
      case 'violation':
        return { kind: 'violation', problems: verdict.problems, facts };
      case 'unknown': {
        const problems = verdict.unreadKeys.map((key) => `${key} could not be read at the end.`);
        return { kind: 'unknown', problems, facts };
      }
    }
  }

  /** A set whose last read fails is not judged, so it is tried until it works. */
  async #readFinally(
    entries: Namespace,
    { at, process, hurry }: { at: number; process: number; hurry: AbortSignal },
  ): Promise<void> {
    const { log } = this.#options;
    if (hurry.aborted) return;
    const until = performance.now() + FINAL_READ_MS;
    for (;;) {
      const begun = { process, key: this.#keyOf(at), f: 'read', level: 'strong' };
      const attempt = await recorded(log, begun, async () => ({
        value: await this.#elements(entries, at),
      }));
      if (attempt.ok || hurry.aborted || performance.now() >= until) return;
      await pause(FINAL_PAUSE_MS);
    }
  }

  async #elements(entries: Namespace, at: number): Promise<readonly number[]> {
    const elements: number[] = [];
    let cursor: string | undefined;
    do {
      const settings = { read: 'strong', limit: PAGE_ENTRIES } as const;
      const owner = { userId: this.#keyOf(at) };
      const page = await entries.list(
        owner,
        cursor === undefined ? settings : { ...settings, cursor },
      );
      elements.push(...page.items.map(({ entry }) => Number(entry.content)));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return elements;
  }

  /** Names the set in the history, and its owner in the cluster. */
  #keyOf(at: number): string {
    return `${this.#options.runId}-s${at}`;
  }
}

/** The id of the entry that stands for an element, so that a history tells what has to be stored. */
export function elementId(key: string, element: string | number): string {
  return `${key}-${element}`;
}

/** The run that a set belongs to. */
export function runOf(key: string): string {
  return key.replace(/-s\d+$/, '');
}

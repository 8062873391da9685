import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';

/** Says that a directory belongs to `memgrid dev`, so that `--fresh` never deletes a stranger's. */
const MARKER = 'memgrid-dev.json';

/** Where the nodes of a local cluster keep their data. */
export interface DevDirectory {
  readonly path: string;
  /** Made for this run only: removed at its end. */
  readonly temporary: boolean;
  /** Nodes that have data here from an earlier run. */
  readonly formerNodes: number;
}

export interface DevDirectoryOptions {
  /** Undefined: a temporary directory. */
  readonly data: string | undefined;
  /** Begin with an empty directory. */
  readonly fresh: boolean;
  readonly nodes: number;
}

/** Makes the directory of a local cluster ready. */
export function openDevDirectory({ data, fresh, nodes }: DevDirectoryOptions): DevDirectory {
  if (data === undefined) {
    const temporary = mkdtempSync(path.join(tmpdir(), 'memgrid-dev-'));
    return { path: temporary, temporary: true, formerNodes: 0 };
  }
  const directory = path.resolve(data);
  mkdirSync(directory, { recursive: true });
  const formerNodes = formerNodesOf(directory);
  if (fresh) emptyOut(directory, formerNodes);
  else if (formerNodes > nodes) {
    throw new CommandError(
      'TOO_FEW_NODES',
      `${directory} holds a cluster of ${formerNodes} nodes; ${nodes} of them can have no majority.`,
      { hint: `Use --nodes ${formerNodes}, or --fresh to begin anew.`, exitCode: EXIT.conflict },
    );
  }
  writeFileSync(path.join(directory, MARKER), `${JSON.stringify({ nodes })}\n`);
  return { path: directory, temporary: false, formerNodes: fresh ? 0 : formerNodes };
}

/** Removes what was made for one run; leaves what the user asked to keep. */
export function closeDevDirectory(directory: DevDirectory): void {
  if (directory.temporary) rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 });
}

/** The data directory of one node. */
export function nodeDirectory(directory: DevDirectory, label: string): string {
  return path.join(directory.path, label);
}

function formerNodesOf(directory: string): number {
  const marker = path.join(directory, MARKER);
  if (!existsSync(marker)) {
    if (readdirSync(directory).length === 0) return 0;
    throw new CommandError(
      'NOT_A_DEV_DIRECTORY',
      `${directory} is not empty and was not made by \`memgrid dev\`.`,
      { hint: 'Choose another directory with --data.', exitCode: EXIT.conflict },
    );
  }
  const { nodes } = JSON.parse(readFileSync(marker, 'utf8')) as { nodes?: unknown };
  return typeof nodes === 'number' && Number.isSafeInteger(nodes) ? nodes : 0;
}

function emptyOut(directory: string, formerNodes: number): void {
  for (let number = 1; number <= formerNodes; number += 1) {
    rmSync(path.join(directory, `n${number}`), { recursive: true, force: true });
  }
}

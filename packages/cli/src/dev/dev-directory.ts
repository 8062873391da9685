import {
  accessSync,
  constants,
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

/**
 * Makes the directory of a local cluster ready.
 *
 * @throws CommandError when it can not be used, or is somebody else's.
 */
export function openDevDirectory({ data, fresh, nodes }: DevDirectoryOptions): DevDirectory {
  if (data === undefined) {
    if (fresh) {
      throw new CommandError('USAGE', '--fresh empties --data, and there is no --data.', {
        exitCode: EXIT.usage,
        hint: 'Leave out --fresh: without --data every cluster is a new one.',
      });
    }
    const temporary = mkdtempSync(path.join(tmpdir(), 'memgrid-dev-'));
    return { path: temporary, temporary: true, formerNodes: 0 };
  }
  const directory = path.resolve(data);
  const formerNodes = usable(directory, () => {
    makeDirectory(directory);
    const former = formerNodesOf(directory);
    // Asked now: who may not write is told here, and not by three nodes.
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return former;
  });
  if (fresh) emptyOut(directory, formerNodes);
  else if (formerNodes > nodes) {
    throw new CommandError(
      'TOO_FEW_NODES',
      `${directory} holds a cluster of ${formerNodes} nodes; ${nodes} of them can have no majority.`,
      { hint: `Use --nodes ${formerNodes}, or --fresh to begin anew.`, exitCode: EXIT.conflict },
    );
  }
  usable(directory, () =>
    writeFileSync(path.join(directory, MARKER), `${JSON.stringify({ nodes })}\n`),
  );
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

/** What `act` returns; what the system answers instead becomes a sentence. */
function usable<T>(directory: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof CommandError || code === undefined) throw error;
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'it, or a directory above it, is a file'
        : `the system answers ${code}`;
    throw new CommandError('BAD_DIRECTORY', `${directory} can not be used: ${why}.`, {
      exitCode: EXIT.usage,
      hint: 'Choose another directory with --data, or leave it out for a temporary one.',
      cause: error,
    });
  }
}

/** Not `recursive`: below a directory that refuses with ENOENT (`/proc`) Node never gives up. */
function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let at = directory; !existsSync(at); at = path.dirname(at)) missing.unshift(at);
  for (const one of missing) mkdirSync(one);
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

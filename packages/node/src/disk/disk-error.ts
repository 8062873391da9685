import { ClusterError } from '@memgrid/protocol';
import { ownerOf } from './directory-lock.ts';

/** What a person should do about a data directory that can not be read back. */
const RECOVERY =
  'Keep a copy for diagnosis, then empty the directory and start again: the node joins its cluster ' +
  'as a new member, and the old one is to be expelled. While a majority of the voters is well, ' +
  'nothing is lost.';

/** The error for a data directory that could not be opened, in the words of an operator. */
export function openError(directory: string, error: unknown): ClusterError {
  const { code, message } = rootOf(error);
  switch (code) {
    case 'LEVEL_LOCKED':
      return lockedError(directory, error);
    case 'LEVEL_CORRUPTION':
    case 'LEVEL_NOT_FOUND':
      return corruptError(directory, message, error);
    case 'EEXIST':
    case 'ENOTDIR':
      return unusable(directory, 'it, or a directory above it, is a file', error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return unusable(directory, `this user may not write there (${code})`, error);
    case 'ENOENT':
      return unusable(directory, `the system makes no directory there (${code})`, error);
    case 'ENOSPC':
    case 'EDQUOT':
      return unusable(directory, `there is no space left (${code})`, error);
    default:
      return unusable(directory, message, error);
  }
}

/** What is on the disk is not what was written there. */
export function corruptError(directory: string, problem: string, cause?: unknown): ClusterError {
  const message =
    `The data directory ${directory} can not be read back as it was written: ` +
    `${withoutStop(problem)}. ${RECOVERY}`;
  return new ClusterError('DIRECTORY_CORRUPT', { directory, problem }, { message, cause });
}

/** A newer memgrid wrote it, or something that is not memgrid. */
export function unknownLayoutError(directory: string, problem: string): ClusterError {
  const message =
    `The data directory ${directory} ${problem}. Use the version of memgrid that wrote it, or ` +
    'another directory.';
  return new ClusterError('DIRECTORY_CORRUPT', { directory, problem }, { message });
}

function lockedError(directory: string, cause: unknown): ClusterError {
  const owner = ownerOf(directory);
  const by =
    owner === undefined
      ? 'another process'
      : `process ${owner.pid} on ${owner.host}, started ${owner.startedAt}`;
  const message =
    `The data directory ${directory} is used by ${by}. Stop that process, or give this node a ` +
    'directory of its own with --data.';
  const details = { directory, pid: owner?.pid };
  return new ClusterError('DIRECTORY_LOCKED', details, { message, cause });
}

function unusable(directory: string, why: string, cause: unknown): ClusterError {
  const problem =
    `data (${directory}) can not be used: ${withoutStop(why)}. Choose a directory that this user ` +
    'can create and write, on a disk with free space.';
  return new ClusterError(
    'BAD_CONFIGURATION',
    { problems: [problem] },
    { message: problem, cause },
  );
}

/** Level wraps what happened ("Database failed to open"); the reason is the innermost cause. */
function rootOf(error: unknown): { code: string; message: string } {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  const { code, message } = root as NodeJS.ErrnoException;
  const text = message ?? String(root);
  // LevelDB passes the operating system's words on, and no number.
  if (/No space left on device/.test(text)) return { code: 'ENOSPC', message: text };
  if (/Permission denied/.test(text)) return { code: 'EACCES', message: text };
  if (/Read-only file system/.test(text)) return { code: 'EROFS', message: text };
  return { code: code ?? '', message: text };
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { badConfiguration } from './resolve-config.ts';

/** Looked for in the working directory when no path is given. */
export const CONFIG_FILE_NAME = 'memgrid.json';

/**
 * Reads a configuration file for `resolveConfig`.
 *
 * Without `named` the file in `directory` is optional; a file that was asked for must exist.
 *
 * @throws ClusterError BAD_CONFIGURATION when it can not be read or is no JSON.
 */
export function readConfigFile(
  named: string | undefined,
  directory: string = process.cwd(),
): { path: string; content: unknown } | undefined {
  const file = path.resolve(directory, named ?? CONFIG_FILE_NAME);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named === undefined && code === 'ENOENT') return undefined;
    throw badConfiguration([`The configuration file ${file} can not be read (${code}).`]);
  }
  try {
    return { path: file, content: JSON.parse(text) };
  } catch (error) {
    throw badConfiguration([`${file} is not JSON: ${(error as Error).message}.`]);
  }
}

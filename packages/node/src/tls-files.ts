import { readFileSync } from 'node:fs';
import { ClusterError } from '@memgrid/protocol';

/** Certificate, key and authority as PEM text. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/**
 * Reads the three files; undefined when TLS is not configured.
 *
 * @throws ClusterError BAD_CONFIGURATION when one can not be read.
 */
export function readTls(files: {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}): TlsMaterial | undefined {
  if (files.cert === '') return undefined;
  return { cert: readPem(files.cert), key: readPem(files.key), ca: readPem(files.ca) };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = `The file ${path} can not be read by the user of this process (${code}).`;
    const details = { problems: [problem] };
    throw new ClusterError('BAD_CONFIGURATION', details, { message: problem, cause: error });
  }
}

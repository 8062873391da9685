import { ClusterError } from '@memgrid/protocol';

/**
 * Why an address could not be listened at, as an error that says what to do. Anything that is not
 * about the address comes back as it is.
 */
export function listenError(option: 'listen' | 'http', address: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const elsewhere = `choose another address with --${option} (port 0 takes any free one)`;
  switch (code) {
    case 'EADDRINUSE': {
      const message = `Something listens on ${address} already. Stop it, or ${elsewhere}.`;
      return new ClusterError('ADDRESS_IN_USE', { address }, { message, cause: error });
    }
    case 'EACCES':
    case 'EPERM':
      return unusable(`This user may not listen on ${address} (${code}): ${elsewhere}.`, error);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return unusable(`${address} is no address of this machine (${code}): ${elsewhere}.`, error);
    default:
      return error;
  }
}

function unusable(problem: string, cause: unknown): ClusterError {
  return new ClusterError(
    'BAD_CONFIGURATION',
    { problems: [problem] },
    { message: problem, cause },
  );
}

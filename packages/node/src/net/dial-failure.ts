/** Why a dial failed, as far as the operating system could tell. */
export type DialFailure = 'refused' | 'unreachable' | 'timeout';

/** What this machine says about an address family that it does not have at all. */
const NOT_TRIED: readonly string[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH'];

/**
 * Reads the error of a WebSocket that did not open.
 *
 * `refused` is evidence that a process is gone, so it must be certain: a name with several
 * addresses is refused only when every address that could be tried refuses. `localhost` may mean
 * ::1 on a machine without IPv6, which says nothing either way.
 */
export function dialFailure(error: Error): DialFailure {
  // The words of `ws` for its own `handshakeTimeout`; it gives no code.
  if (error.message === 'Opening handshake has timed out') return 'timeout';
  const codes = codesOf(error);
  const tried = codes.filter((code) => !NOT_TRIED.includes(code));
  if (tried.length > 0 && tried.every((code) => code === 'ECONNREFUSED')) return 'refused';
  return codes.includes('ETIMEDOUT') ? 'timeout' : 'unreachable';
}

function codesOf(error: Error): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap((one: Error) => codesOf(one));
  return [(error as NodeJS.ErrnoException).code ?? ''];
}

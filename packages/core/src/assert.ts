/**
 * The program is wrong. Never caught below `main.ts`: the node stops before it can act on a
 * state that cannot be.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** States what must hold whatever peers, disks and users do. Junk from them is an input, not this. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a `switch` that has handled every case. */
export function unreachable(value: never): never {
  throw new InvariantError(`Unhandled case ${JSON.stringify(value)}.`);
}

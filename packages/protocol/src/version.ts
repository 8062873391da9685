/** One version of the protocol. */
export interface ProtocolVersion {
  readonly version: number;
  /** The release that spoke it first. */
  readonly since: string;
  /** The beginning of the SHA-256 of `testdata/v<version>/contract.txt`. */
  readonly contract: string;
  readonly change: string;
}

/**
 * One line for each version, oldest first. A line is added, never edited: see the instructions in
 * the test `contract.test.ts`, which fails when the wire changed and this list did not.
 */
export const PROTOCOL_HISTORY: readonly ProtocolVersion[] = [
  {
    version: 1,
    since: '0.1.0',
    contract: '7a67689774318d7b',
    change:
      'Handshake, membership, reachability, election, control, founding; shards, entries, clients.',
  },
];

/** The protocol versions that this build speaks. A link uses the highest that both sides speak. */
export const PROTOCOL = { min: 1, max: 1 } as const;

/** SHA-256, handed in because `core` owns no cryptography. */
export type Digest = (bytes: Uint8Array) => Uint8Array;

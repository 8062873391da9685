import { sealed, TRAILER_BYTES, writeSealed } from './checksum.ts';

const REUSED_BYTES = 4 * 1024;

/** Seals values for somebody who copies them at once: small ones all lie in the same bytes. */
export class ReusedSeal {
  readonly #bytes = new Uint8Array(REUSED_BYTES);

  /** @returns bytes that are as `sealed` returns them until the next call. */
  seal(key: string, value: Uint8Array): Uint8Array {
    const length = value.byteLength + TRAILER_BYTES;
    if (length > REUSED_BYTES) return sealed(key, value);
    writeSealed(key, value, this.#bytes);
    return this.#bytes.subarray(0, length);
  }
}

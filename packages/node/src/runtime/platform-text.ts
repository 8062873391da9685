import { offerPlatformText } from '@memgrid/protocol';

const { latin1Slice } = Buffer.prototype;

/** Lets the codec make texts of ASCII bytes with one call instead of a loop. */
export function usePlatformText(): void {
  offerPlatformText({ readAscii: (bytes, start, end) => latin1Slice.call(bytes, start, end) });
}

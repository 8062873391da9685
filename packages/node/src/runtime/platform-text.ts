import { offerPlatformText } from '@memgrid/protocol';

const { latin1Slice, utf8Write } = Buffer.prototype;

/** Lets the codec make texts of ASCII bytes, and bytes of texts, with one call instead of a loop. */
export function usePlatformText(): void {
  offerPlatformText({
    readAscii: (bytes, start, end) => latin1Slice.call(bytes, start, end),
    writeUtf8: (bytes, text, at) => utf8Write.call(bytes, text, at),
  });
}

import type { GatewayLimits } from './gateway-io.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Every bound of the front door, with the reason beside it. `docs/limits.md` lists them. */
export const GATEWAY_LIMITS: GatewayLimits = {
  /** Half of what the listener accepts altogether: peers must always get in. */
  clientsMax: 2_048,
  /** A client that says nothing for so long holds a place for nothing. */
  helloMsMax: 5_000,
  /** Nobody waits longer; a caller that asks for more is answered after this. */
  operationMsMax: 60_000,
  /** About a hundred of the largest entries, or ten thousand small ones, for one connection. */
  windowBytes: 32 * MIB,
  windowOperations: 16_384,
  /** What a node with a heap of 512 MiB can hold beside everything else. */
  totalBytes: 128 * MIB,
  totalOperations: 131_072,
  /** The same steps as for links between peers. */
  pauseBytes: 4 * MIB,
  resumeBytes: MIB,
  hangUpBytes: 16 * MIB,
  /** Of all clients together: two thousand slow ones must not be the end. */
  unreadBytes: 256 * MIB,
  /** Half of what a message may hold: the estimate is never below the truth, and often above. */
  messageBytes: MIB,
  feedsMax: 65_536,
  /** A watch over a whole cluster of the largest size opens one feed a shard. */
  clientFeedsMax: 8_192,
  feedCreditBytes: MIB,
  feedCreditBytesMax: 16 * MIB,
  feedMessageBytes: 256 * KIB,
  /** Changes that a feed can go back to after a short absence. */
  recentBytes: 16 * MIB,
  recentChanges: 4_096,
};

import { LIMITS } from '@memgrid/protocol';
import type { Channel } from '@memgrid/protocol';

/** The path of a channel's WebSocket: the frame limit must be known before the first frame. */
export const CHANNEL_PATHS: Readonly<Record<Channel, string>> = {
  control: '/peer/control',
  bulk: '/peer/bulk',
};

/** One frame on this channel; more is refused by the WebSocket layer before it is buffered. */
export const CHANNEL_FRAME_BYTES_MAX: Readonly<Record<Channel, number>> = {
  control: LIMITS.controlFrameBytesMax,
  bulk: LIMITS.bulkFrameBytesMax,
};

export const CHANNELS: readonly Channel[] = ['control', 'bulk'];

/** Who a connection is with: a peer, over one of two channels, or a client. */
export type Endpoint = Channel | 'client';

export const ENDPOINT_PATHS: Readonly<Record<Endpoint, string>> = {
  ...CHANNEL_PATHS,
  client: '/client',
};

export const ENDPOINT_FRAME_BYTES_MAX: Readonly<Record<Endpoint, number>> = {
  ...CHANNEL_FRAME_BYTES_MAX,
  client: LIMITS.clientFrameBytesMax,
};

export const ENDPOINTS: readonly Endpoint[] = [...CHANNELS, 'client'];

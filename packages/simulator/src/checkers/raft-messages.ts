import type { ElectionMessage, LogPayload, Message } from '@memgrid/protocol';

/** What only a leader may send. */
export type LeaderMessage = Extract<
  ElectionMessage,
  { type: 'append' | 'heartbeat' | 'snapshotChunk' | 'timeoutNow' }
>;

export function isLeaderMessage(message: Message): message is LeaderMessage {
  switch (message.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshotChunk':
    case 'timeoutNow':
      return true;
    default:
      return false;
  }
}

/** Equal payloads have equal fingerprints; different ones differ but once in 2^32. */
export function fingerprint(payload: LogPayload): number {
  switch (payload.kind) {
    case 'blank':
      return 1;
    case 'config': {
      const { voters, votersOutgoing, learners } = payload.config;
      return ofText(`${voters.join()}|${votersOutgoing.join()}|${learners.join()}`);
    }
    case 'command':
      return ofBytes(payload.command);
  }
}

export function ofText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

function ofBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

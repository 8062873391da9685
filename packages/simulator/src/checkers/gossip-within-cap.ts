import type { Checker } from '../checker.ts';
import type { Message } from '@memgrid/protocol';

/** Long enough to average a push-pull and the dissemination of one change. */
const WINDOW_US = 10_000_000;

/**
 * Invariant 34: gossip stays cheap, whatever happens. A storm of accusations must not cost more
 * messages than the schedule of probes and gossip rounds allows.
 *
 * @param messagesPerSecondMax per node, averaged over ten seconds.
 */
export function gossipWithinCap(messagesPerSecondMax: number): Checker {
  const windows = new Map<number, { startUs: number; count: number }>();
  return {
    name: 'gossip-within-cap',
    kinds: ['sent'],
    observe(event, nowUs) {
      if (event.kind !== 'sent' || !GOSSIP.has(event.envelope.message.type)) return undefined;
      const window = windows.get(event.at.process);
      if (window === undefined || nowUs - window.startUs >= WINDOW_US) {
        windows.set(event.at.process, { startUs: nowUs, count: 1 });
        return undefined;
      }
      window.count += 1;
      const countMax = (messagesPerSecondMax * WINDOW_US) / 1_000_000;
      if (window.count <= countMax) return undefined;
      const seconds = (nowUs - window.startUs) / 1_000_000;
      return `Sent ${window.count} gossip messages in ${seconds.toFixed(1)} s.`;
    },
    finish: () => undefined,
  };
}

const GOSSIP: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'ping',
  'ack',
  'pingReq',
  'indirectAck',
  'nack',
  'gossip',
  'pushPullReq',
  'pushPullResp',
  'refused',
]);

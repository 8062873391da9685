import type { MembershipConfig } from '@memgrid/core';
import type { Message } from '@memgrid/protocol';
import type { Checker } from '../checker.ts';

/** Long enough to average a push-pull and the dissemination of one change. */
const WINDOW_US = 10_000_000;

/**
 * Invariant 34: gossip stays cheap, whatever happens. A storm of accusations must not cost more
 * messages than the schedule of probes and gossip rounds allows.
 *
 * @param messagesPerSecondMax per node, averaged over ten seconds: `gossipPerSecondMax`. Asked each
 * time, because a world can grow.
 */
export function gossipWithinCap(messagesPerSecondMax: () => number): Checker {
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
      const countMax = (messagesPerSecondMax() * WINDOW_US) / 1_000_000;
      if (window.count <= countMax) return undefined;
      const seconds = (nowUs - window.startUs) / 1_000_000;
      return `Sent ${window.count} gossip messages in ${seconds.toFixed(1)} s.`;
    },
    finish: () => undefined,
  };
}

/**
 * What the schedule lets one of so many nodes send in a second, on the worst of days.
 *
 * No constant would do: whoever is suspected for long, because its answers come late, is asked by
 * everybody in every interval (M2), directly and through helpers (M3), and answers each time.
 */
export function gossipPerSecondMax(
  config: Pick<
    MembershipConfig,
    'probeIntervalMs' | 'helperCount' | 'gossipIntervalMs' | 'gossipFanout'
  >,
  nodes: number,
): number {
  const others = nodes - 1;
  const helpers = Math.max(0, Math.min(config.helperCount, others - 1));
  // A probe is two pings and what helpers are asked. Of another's probe this node is the target, and
  // acknowledges as much, or one of the helpers, who send two messages each.
  const probes = (nodes * (2 + helpers) * 1000) / config.probeIntervalMs;
  const rounds = (Math.min(config.gossipFanout, others) * 1000) / config.gossipIntervalMs;
  // The rounds of all others reach a node as often as it holds its own, and whoever is behind is
  // told (M12).
  const answers = rounds;
  // Tables are compared when a link comes up: with each of the others once in two seconds.
  const exchanges = others;
  return probes + rounds + answers + exchanges;
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

import type { NodeEvent } from '@memgrid/core';
import type { ShellEvent } from './shell-event.ts';

/** Everything that a running node tells about itself. */
export type ObservedEvent = NodeEvent | ShellEvent;

export type EventName = ObservedEvent['name'];

export type EventLevel = 'error' | 'warn' | 'info' | 'debug';

/**
 * error: a person must act. warn: it healed itself, but watch. info: a state changed. debug: the
 * rest. Total over all events, so that a new one cannot be forgotten; described in
 * `docs/operations/events.md`.
 */
export const EVENT_LEVELS: Readonly<Record<EventName, EventLevel>> = {
  'client.connected': 'debug',
  'client.disconnected': 'debug',
  'client.refused': 'warn',
  'clock.jumped': 'warn',
  'clock.remoteAhead': 'warn',
  'clock.suspect': 'error',
  'cluster.founded': 'info',
  'cluster.joined': 'info',
  'command.ignored': 'warn',
  'connection.refused': 'warn',
  'control.applied': 'debug',
  'control.caughtUp': 'info',
  'coordinator.elected': 'info',
  'coordinator.lost': 'warn',
  'coordinator.steppedDown': 'warn',
  'dial.failed': 'debug',
  'disk.damaged': 'error',
  'disk.failed': 'error',
  'election.started': 'info',
  'entry.quarantined': 'error',
  'entry.refetched': 'info',
  'events.dropped': 'warn',
  'feature.changed': 'info',
  'feed.gap': 'warn',
  'founding.waiting': 'info',
  'frame.refused': 'warn',
  'group.changed': 'info',
  'http.failed': 'error',
  'learner.added': 'info',
  'learner.removed': 'info',
  'log.compacted': 'debug',
  'log.conflict': 'warn',
  'loop.stalled': 'warn',
  'member.died': 'warn',
  'member.drained': 'info',
  'member.flapping': 'warn',
  'member.joined': 'info',
  'member.leaveForged': 'error',
  'member.left': 'info',
  'member.recovered': 'info',
  'member.restarted': 'info',
  'member.settled': 'info',
  'member.suspected': 'warn',
  'members.full': 'error',
  'namespace.bound': 'info',
  'move.advanced': 'debug',
  'move.finished': 'info',
  'move.planned': 'info',
  'move.rolledBack': 'warn',
  'node.faulted': 'error',
  'node.started': 'info',
  'node.stopped': 'info',
  'node.stopping': 'info',
  'orphan.dropped': 'warn',
  'orphan.merged': 'info',
  'orphan.parked': 'error',
  'peer.connected': 'info',
  'peer.disconnected': 'info',
  'peer.rejected': 'warn',
  'reach.lost': 'warn',
  'reach.restored': 'info',
  'registration.refused': 'warn',
  'registry.changed': 'info',
  'schema.committed': 'info',
  'schema.defined': 'info',
  'self.accused': 'warn',
  'self.healthChanged': 'info',
  'self.superseded': 'error',
  'send.dropped': 'debug',
  'send.unencodable': 'error',
  'shard.activated': 'debug',
  'shard.collected': 'debug',
  'shard.dropped': 'info',
  'shard.failedOver': 'info',
  'shard.fenced': 'debug',
  'shard.streamed': 'info',
  'shard.stuck': 'error',
  'shard.truncated': 'warn',
  'shards.assigned': 'debug',
  'shards.created': 'info',
  'shards.revived': 'warn',
  'snapshot.installed': 'info',
  'snapshot.refused': 'error',
  'voter.promoted': 'info',
  'voter.relieved': 'info',
  'voter.replaced': 'warn',
};

export const EVENT_NAMES = Object.keys(EVENT_LEVELS) as readonly EventName[];

/** The level of one event: its name's, unless it is one of the ordinary cases of a rare event. */
export function levelOf(event: ObservedEvent): EventLevel {
  // A node among its own seeds reaches itself, and two peers that dial each other keep one link.
  const ordinary =
    event.name === 'peer.rejected' && (event.reason === 'self' || event.reason === 'duplicate');
  return ordinary ? 'debug' : EVENT_LEVELS[event.name];
}

import type { ControlMessage } from './control.ts';
import type { ElectionMessage } from './election.ts';
import type { HandshakeMessage } from './handshake.ts';
import type { MembershipMessage } from './membership.ts';
import type { ReachabilityMessage } from './reachability.ts';
import type { DataMessage } from './replication.ts';

/** Everything that one process may say to another. */
export type Message =
  | HandshakeMessage
  | MembershipMessage
  | ReachabilityMessage
  | ElectionMessage
  | ControlMessage
  | DataMessage;

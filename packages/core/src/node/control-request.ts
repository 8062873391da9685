import type { NodeId } from '@memgrid/protocol';
import type { ControlState } from '../control/control-state.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { RequestId } from '../request-id.ts';
import type { ControlRequest } from './cluster-machine-io.ts';
import { commandProblem } from './command-problem.ts';
import type { ControlGroupInput } from './control-group.ts';
import { encodedChange, failure, type Answer } from './group-requests.ts';

/** What a request means to the control group, or the answer when it makes no sense. */
export function controlRequest(
  request: RequestId,
  body: ControlRequest,
  known: {
    readonly state: ControlState | undefined;
    readonly livenessOf: (member: NodeId) => MemberView['liveness'] | undefined;
  },
): ControlGroupInput | Answer {
  switch (body.kind) {
    case 'propose': {
      const problem = commandProblem(body.command, known.state);
      if (problem !== undefined) return failure(request, 'invalid', problem);
      return encodedChange(body.command, { kind: 'outside', request, about: 'change' });
    }
    case 'readIndex':
      return { kind: 'read', origin: { kind: 'outside', request, about: 'read' } };
    case 'handover': {
      const liveness = body.to === undefined ? 'alive' : known.livenessOf(body.to);
      if (liveness === 'dead' || liveness === 'left') {
        return failure(request, 'badTarget', `The chosen successor is ${liveness}.`);
      }
      const origin = { kind: 'outside', request, about: 'read' } as const;
      return { kind: 'transfer', to: body.to, origin };
    }
  }
}

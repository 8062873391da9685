import type { NodeInput, NodeReply, NodeRequest, RequestId } from '@memgrid/core';

interface Pending {
  readonly resolve: (reply: NodeReply) => void;
  readonly timer: NodeJS.Timeout;
}

/** Requests that may wait for an answer at one time. */
const PENDING_MAX = 1_024;

/** Gives every request from outside exactly one answer, in time. */
export class Requests {
  readonly #push: (input: NodeInput) => boolean;
  readonly #pending = new Map<RequestId, Pending>();
  #last = 0;
  #closed = false;

  constructor(push: (input: NodeInput) => boolean) {
    this.#push = push;
  }

  /** Never rejects: a problem is an answer too. `timeout` means that the outcome is unknown. */
  async ask(body: NodeRequest, timeoutMs: number): Promise<NodeReply> {
    if (this.#closed) return failed('shuttingDown', 'This node is stopping.');
    if (this.#pending.size >= PENDING_MAX) {
      return failed('overloaded', `${PENDING_MAX} requests are waiting already.`);
    }
    this.#last += 1;
    const request = this.#last;
    return await new Promise<NodeReply>((resolve) => {
      const late = failed('timeout', `No answer within ${timeoutMs} ms.`);
      const timer = setTimeout(() => this.answer(request, late), timeoutMs);
      this.#pending.set(request, { resolve, timer });
      if (this.#push({ kind: 'request', request, body })) return;
      this.answer(request, failed('overloaded', 'The inbox of this node is full.'));
    });
  }

  /** The machine's answer. One that comes too late finds nobody waiting. */
  answer(request: RequestId, reply: NodeReply): void {
    const pending = this.#pending.get(request);
    if (pending === undefined) return;
    this.#pending.delete(request);
    clearTimeout(pending.timer);
    pending.resolve(reply);
  }

  /** Answers everybody who still waits. */
  close(): void {
    this.#closed = true;
    const stopping = failed('shuttingDown', 'This node is stopping.');
    for (const request of [...this.#pending.keys()]) this.answer(request, stopping);
  }
}

function failed(
  reason: Extract<NodeReply, { kind: 'failed' }>['reason'],
  detail: string,
): NodeReply {
  return { kind: 'failed', reason, detail };
}

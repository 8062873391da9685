import type { NodeReply } from '@memgrid/core';
import type { RunningNode } from '@memgrid/node';
import {
  encodeEntry,
  bareEntry,
  makeOperationId,
  shardOfEntry,
  type Operation,
  type OperationBody,
} from '@memgrid/protocol';

const NAMESPACE = 'acme';
/** Entries of one user live in one shard: enough users to fill all shards evenly. */
const USERS = 20_000;
const TIMEOUT_MS = 20_000;

/** With versions, dots and times around it, what is stored of it has about 300 bytes. */
const TEXT =
  'Prefers short answers in the morning, has moved to Lisbon, and wants to hear about the dentist.';

/** Entries by number, and the operations on them: the same entry has the same number in every run. */
export class EntryOperations {
  readonly #node: RunningNode;
  readonly #shardCount: number;
  #operations = 0;

  constructor(node: RunningNode, shardCount: number) {
    this.#node = node;
    this.#shardCount = shardCount;
  }

  /** @throws when the write is not acknowledged at quorum. */
  async put(number: number): Promise<void> {
    const entry = entryOf(number);
    const condition = { kind: 'always' } as const;
    const body = {
      kind: 'put',
      namespace: NAMESPACE,
      key: keyOf(number),
      entry,
      condition,
    } as const;
    const reply = await this.#ask(number, body);
    if (reply.kind === 'answered' && reply.answer.result.kind === 'written') return;
    throw new Error(`Entry ${number} was not written: ${JSON.stringify(reply)}`);
  }

  /** @returns whether the entry is there. @throws when there is no answer to that. */
  async get(number: number): Promise<boolean> {
    const body = { kind: 'get', namespace: NAMESPACE, key: keyOf(number) } as const;
    const reply = await this.#ask(number, body);
    const kind = reply.kind === 'answered' ? reply.answer.result.kind : 'nothing';
    if (kind === 'found') return true;
    if (kind === 'absent') return false;
    throw new Error(`Entry ${number} was not read: ${JSON.stringify(reply)}`);
  }

  /** Puts a range of entries, so many at a time. */
  async fill(begin: number, end: number, atOnce: number): Promise<void> {
    let next = begin;
    const lane = async (): Promise<void> => {
      while (next < end) {
        const number = next;
        next += 1;
        await this.put(number);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }

  async #ask(number: number, body: OperationBody): Promise<NodeReply> {
    this.#operations += 1;
    const isWrite = body.kind === 'put';
    const operation: Operation = {
      id: this.#operations,
      shard: shardOfEntry(
        { namespace: NAMESPACE, userId: userOf(number), key: keyOf(number) },
        this.#shardCount,
      ),
      operationId: isWrite ? operationId() : '',
      body,
      read: 'strong',
      durability: 'quorum',
      sync: 'os',
      timeoutMs: TIMEOUT_MS,
      noAutonomous: true,
      atLeast: 0,
    };
    return await this.#node.request({ kind: 'operation', operation }, TIMEOUT_MS);
  }
}

function keyOf(number: number): string {
  return `memory-${number.toString().padStart(9, '0')}`;
}

function userOf(number: number): string {
  return `user-${number % USERS}`;
}

function entryOf(number: number): Uint8Array {
  return encodeEntry(
    bareEntry({
      userId: userOf(number),
      content: `${number}: ${TEXT}`,
      category: 'PROJECT',
      categories: ['personal'],
      metadata: { number },
    }),
  );
}

function operationId(): string {
  const words = crypto.getRandomValues(new Uint32Array(3));
  return makeOperationId(Date.now(), [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0]);
}

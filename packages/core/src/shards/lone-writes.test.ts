import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer, Operation, OperationBody, SyncClass } from '@memgrid/protocol';
import { labEntry, labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import type { AppliedChange, LocalOperation } from './shards-io.ts';

type Act =
  | {
      readonly kind: 'put' | 'delete';
      readonly key: string;
      readonly condition: 'always' | 'absent' | 'present';
      readonly durability: 'one' | 'quorum';
      readonly expires: boolean;
    }
  /** The same request once more: which of all so far. */
  | { readonly kind: 'again'; readonly which: number }
  | { readonly kind: 'get'; readonly key: string };

interface Round {
  readonly acts: readonly Act[];
  readonly pauseMs: number;
}

const key = fc.constantFrom('a', 'b', 'c');
const write = fc.record({
  kind: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
  key,
  condition: fc.constantFrom('always' as const, 'always' as const, 'absent', 'present'),
  durability: fc.constantFrom('one' as const, 'quorum' as const),
  expires: fc.boolean(),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: write },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat(30) }) },
);
const get = fc.record({ kind: fc.constant('get' as const), key });
// A read may show the writes that come with it, or not: it has a round of its own.
const acts: fc.Arbitrary<readonly Act[]> = fc.oneof(
  { weight: 4, arbitrary: fc.array(act, { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(get, { maxLength: 3 }) },
);
const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({ acts, pauseMs: fc.constantFrom(0, 50, 300) }),
  { maxLength: 8 },
);

/** One node alone, to which everything of a round is handed in at once, with one class of safety. */
class Alone {
  readonly lab: ShardLab;
  readonly #sync: SyncClass;
  readonly #requests: Partial<Operation>[] = [];
  #tokens = 0;

  /** @param entryBytesMax few make most values be read from disk. */
  constructor(sync: SyncClass, entryBytesMax: number) {
    this.#sync = sync;
    this.lab = new ShardLab({ nodes: 1, entryBytesMax, config: { collectAfterMs: 200 } });
    this.lab.assign({});
    this.lab.advance(100);
  }

  run({ acts, pauseMs }: Round): void {
    const operations = acts.map((one) => this.#local(this.#request(one)));
    this.lab.input(1, { kind: 'operations', operations });
    this.lab.advance(pauseMs);
  }

  history(of: string): Answer | undefined {
    const local = this.#local({ body: { kind: 'history', namespace: 'n', key: of } });
    this.lab.input(1, { kind: 'operations', operations: [local] });
    return this.lab.answers.get(local.token);
  }

  #request(one: Act): Partial<Operation> {
    if (one.kind === 'get') {
      return { read: 'strong', body: { kind: 'get', namespace: 'n', key: one.key } };
    }
    const known = one.kind === 'again' ? this.#requests[one.which] : undefined;
    if (known !== undefined) return known;
    const request = this.#write(one.kind === 'again' ? EXAMPLE : one);
    this.#requests.push(request);
    return request;
  }

  #write(one: Exclude<Act, { kind: 'again' | 'get' }>): Partial<Operation> {
    const at = { namespace: 'n', key: one.key, condition: { kind: one.condition } } as const;
    const expiresAt = one.expires ? this.lab.wallMs + 100 : 0;
    const entry = labEntry(`write ${this.#requests.length}`, { expiresAt });
    const body: OperationBody =
      one.kind === 'put' ? { kind: 'put', ...at, entry } : { kind: 'delete', ...at };
    return { operationId: this.lab.operationId(), durability: one.durability, body };
  }

  #local(request: Partial<Operation>): LocalOperation {
    this.#tokens += 1;
    const operation = {
      id: this.#tokens,
      shard: SHARD,
      operationId: '',
      read: 'one',
      durability: 'quorum',
      sync: this.#sync,
      timeoutMs: 2000,
      noAutonomous: false,
      atLeast: 0,
      ...request,
    } as Operation;
    return { token: this.#tokens, operation };
  }
}

const EXAMPLE = {
  kind: 'put',
  key: 'a',
  condition: 'always',
  durability: 'quorum',
  expires: false,
} as const;

/** What does not depend on how soon a write commits. */
function settled([token, { position, result }]: readonly [number, Answer]): unknown {
  // A refusal names whatever is applied when it is told.
  if (result.kind === 'failed') return { token, result };
  // A repetition is told what is known by then.
  const isRepeated = result.kind === 'written' && result.repeated;
  return { token, position, result: isRepeated ? { ...result, acknowledged: undefined } : result };
}

function answersOf({ lab }: Alone): readonly unknown[] {
  return [...lab.answers].sort(([a], [b]) => a - b).map(settled);
}

/** Everything but the class, and but the clock's counter: reads take readings of it as well. */
function shown(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, part: unknown) => {
      if (name === 'sync') return undefined;
      if (name === 'timestamp') return (part as { readonly ms: number }).ms;
      return part instanceof Uint8Array ? [...part] : part;
    }),
  );
}

function changesOf({ lab }: Alone): readonly AppliedChange[] {
  return lab.changes.map(({ change }) => change);
}

test('F27: what commits by being here has the effects that it has by way of the disk', () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const [direct, twin] = [new Alone('memory', Infinity), new Alone('os', Infinity)];
      for (const round of all) {
        direct.run(round);
        twin.run(round);
      }
      expect(shown(answersOf(direct))).toEqual(shown(answersOf(twin)));
      expect(shown(changesOf(direct))).toEqual(shown(changesOf(twin)));
      expect(direct.lab.status(1)).toEqual(twin.lab.status(1));
      for (const name of ['a', 'b', 'c']) {
        expect(shown(direct.history(name))).toEqual(shown(twin.history(name)));
      }
    }),
    { numRuns: 200 },
  );
});

/** Which write takes effect first depends on when the disk answers: only what becomes of each counts. */
function withoutOrder(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, part: unknown) => {
      const isPlace = ['sync', 'position', 'version', 'current', 'details', 'index'].includes(name);
      if (isPlace) return undefined;
      return part instanceof Uint8Array ? [...part] : part;
    }),
  );
}

test('F27: that holds also where most values have to be read from the disk first', () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const [direct, twin] = [new Alone('memory', 1), new Alone('os', 1)];
      for (const round of all) {
        direct.run(round);
        twin.run(round);
      }
      expect(withoutOrder(answersOf(direct))).toEqual(withoutOrder(answersOf(twin)));
      for (const name of ['a', 'b', 'c']) {
        const ofKey = (one: Alone): unknown =>
          withoutOrder(changesOf(one).filter((change) => change.key === `n\0${name}`));
        expect(ofKey(direct)).toEqual(ofKey(twin));
      }
    }),
    { numRuns: 200 },
  );
});

test('F27: of two writes that wait for one value from the disk the second sees what the first left', () => {
  const lab = new ShardLab({ nodes: 1, entryBytesMax: 400, config: { logRecordsMax: 1 } });
  lab.assign({});
  lab.advance(100);
  for (let number = 0; number < 20; number += 1) lab.put(1, `k${number}`, 'v', { sync: 'memory' });
  lab.advance(1000);
  expect(lab.entries(1).get(SHARD, 0, 'n\0k0')).toBe('paged');
  const at = { namespace: 'n', key: 'k0' } as const;
  const bodies: readonly OperationBody[] = [
    { kind: 'delete', ...at, condition: { kind: 'present' } },
    { kind: 'delete', ...at, condition: { kind: 'present' } },
    { kind: 'put', ...at, entry: labEntry('w'), condition: { kind: 'absent' } },
    { kind: 'put', ...at, entry: labEntry('x'), condition: { kind: 'absent' } },
  ];
  const operations = bodies.map((body, place): LocalOperation => {
    const waits = { durability: 'quorum', sync: 'memory', timeoutMs: 2000, read: 'one' } as const;
    const rest = { id: place, shard: SHARD, noAutonomous: false, atLeast: 0 };
    const operation = { ...rest, ...waits, operationId: lab.operationId(), body };
    return { token: 1_000_000 + place, operation };
  });
  lab.input(1, { kind: 'operations', operations });
  const results = operations.map(({ token }) => lab.answers.get(token)?.result);
  expect(results.map((result) => (result?.kind === 'failed' ? result.code : result?.kind))).toEqual(
    ['written', 'VERSION_CONFLICT', 'written', 'VERSION_CONFLICT'],
  );
});

test('F27: who joins is sent what nobody had asked for while one node was alone', () => {
  const lab = new ShardLab({ nodes: 2 });
  const [first, second] = [labNode(1), labNode(2)];
  lab.assign({ replicas: [first] });
  lab.advance(100);
  const tokens = ['a', 'b', 'c'].map((name) => lab.put(1, name, `of ${name}`, { sync: 'memory' }));
  for (const token of tokens) {
    expect(lab.answers.get(token)?.result).toMatchObject({ kind: 'written', sync: 'memory' });
  }
  const retained = lab.machine(1).logBytes;
  lab.assign({ stage: 'dual', next: [first, second] });
  lab.advance(1000);
  lab.put(1, 'd', 'of d');
  lab.advance(1000);
  for (const name of ['a', 'b', 'c', 'd']) {
    expect(lab.entries(2).get(SHARD, lab.status(2).slot, name)).toBe('absent');
    expect(lab.entries(2).get(SHARD, lab.status(2).slot, `n\0${name}`)).toEqual(
      lab.entries(1).get(SHARD, lab.status(1).slot, `n\0${name}`),
    );
  }
  expect(retained).toBeGreaterThan(0);
});

test('F27, F8: a node that comes back alone to records of class `memory` serves unasked', () => {
  const lab = new ShardLab({ nodes: 1 });
  lab.assign({});
  lab.advance(500);
  // Logged, because nothing was ahead of the disk so far, and not flushed.
  lab.put(1, 'k', 'v', { sync: 'memory' });
  lab.crash(1);
  lab.start(1);
  lab.assign({});
  expect(lab.status(1).last.index).toBeGreaterThan(2);
  expect(lab.status(1).active).toBe(true);
});

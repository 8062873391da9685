import {
  groupEpoch,
  logIndex,
  nodeId,
  term,
  type ElectionMessage,
  type GroupConfig,
  type NodeId,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { electionConfig } from '../election/election-config.ts';
import { initialRecord } from '../election/recover.ts';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import { ControlGroup, type ControlGroupEffect, type ControlGroupInput } from './control-group.ts';

const SELF = nodeId('1'.repeat(32));
const B = nodeId('2'.repeat(32));
const EPOCH = groupEpoch(1);
const READABLE = new Uint8Array([1]);
const JUNK = new Uint8Array([2]);

/** One node's control group on a perfect disk. */
class Stage {
  readonly group: ControlGroup;
  readonly seen: ControlGroupEffect[] = [];
  now = 0 as Instant;

  constructor(voters: readonly NodeId[]) {
    const config: GroupConfig = { voters, votersOutgoing: [], learners: [] };
    this.group = new ControlGroup({
      config: electionConfig(),
      self: SELF,
      record: initialRecord({ groupEpoch: EPOCH, config, state: READABLE }),
      random: Random.of(1),
      hearsay: () => ({ leader: undefined, groupEpoch: EPOCH }),
      isUsable: ({ state }) => state[0] === READABLE[0],
      now: this.now,
    });
  }

  input(input: ControlGroupInput): void {
    this.#carryOut(this.group.step(this.now, input));
  }

  run(ms: number): void {
    for (let elapsed = 0; elapsed < ms; elapsed += 50) {
      this.now = (this.now + 50) as Instant;
      this.#carryOut(this.group.wake(this.now));
    }
  }

  get events(): readonly string[] {
    return this.seen.flatMap((effect) => (effect.kind === 'event' ? [effect.event.name] : []));
  }

  #carryOut(effects: readonly ControlGroupEffect[]): void {
    for (const effect of effects) {
      this.seen.push(effect);
      if (effect.kind === 'store') this.input({ kind: 'stored', ticket: effect.ticket });
    }
  }
}

const LEARNER_ADDED = { name: 'learner.added', member: B } as const;

test('A10: a change that commits is told once', () => {
  const stage = new Stage([SELF]);
  stage.run(4_000);
  expect(stage.group.isLeader).toBe(true);
  stage.input({ kind: 'reconfigure', voters: [SELF], learners: [B], events: [LEARNER_ADDED] });
  stage.run(500);
  expect(stage.group.status().config.learners).toEqual([B]);
  expect(stage.events.filter((name) => name === 'learner.added')).toHaveLength(1);
});

test('A10: a change that is refused is not told', () => {
  const stage = new Stage([SELF]);
  stage.run(4_000);
  const promoted = { name: 'voter.promoted', member: B } as const;
  // Nobody knows B, so it cannot have caught up.
  stage.input({ kind: 'reconfigure', voters: [SELF, B], learners: [], events: [promoted] });
  stage.run(500);
  expect(stage.group.status().config.voters).toEqual([SELF]);
  expect(stage.events).not.toContain('voter.promoted');
});

function snapshotOf(state: Uint8Array): ElectionMessage {
  return {
    type: 'snapshotChunk',
    groupEpoch: EPOCH,
    term: term(7),
    lastIndex: logIndex(90),
    lastTerm: term(6),
    config: { voters: [SELF, B], votersOutgoing: [], learners: [] },
    offset: 0,
    totalBytes: state.length,
    bytes: state,
  };
}

test.each([
  { state: READABLE, kept: 90, told: 'snapshot.installed' },
  { state: JUNK, kept: 1, told: 'snapshot.refused' },
])('E19: of a snapshot of $state this node keeps index $kept', ({ state, kept, told }) => {
  const stage = new Stage([SELF, B]);
  stage.input({ kind: 'message', from: B, body: snapshotOf(state) });
  expect(stage.events).toContain(told);
  expect(stage.group.status().commit).toBe(kept);
  expect(stage.seen.some((effect) => effect.kind === 'restored')).toBe(kept === 90);
});

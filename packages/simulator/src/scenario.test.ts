import { expect, test } from 'vitest';
import { FAULT_KINDS } from './fault.ts';
import { formatScenario, parseScenario, ScenarioError } from './scenario.ts';
import { swarm } from './swarm.ts';

test('S10: what is written is read back, for every fault that a swarm draws', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) {
    const { schedule, shortLogs } = swarm({
      seed,
      nodes: ['n1', 'n2', 'n3', 'n4', 'n5'],
      durationMs: 60_000,
    });
    for (const fault of schedule) seen.add(fault.kind);
    const whole = { seed, nodes: 5, durationMs: 60_000, faults: schedule, note: 'A "note".' };
    const scenario = shortLogs ? { ...whole, shortLogs } : whole;
    expect(parseScenario(formatScenario(scenario))).toEqual(scenario);
  }
  expect([...seen].sort()).toEqual(FAULT_KINDS.filter((kind) => kind !== 'heal').toSorted());
});

test('S10: a scenario file is told everything that is wrong with it at once', () => {
  const text = JSON.stringify({
    seed: -1,
    nodes: 3,
    durationMs: 'long',
    wether: 'bad',
    faults: [
      { kind: 'split', groups: [['n1'], 'n2'], atMs: 5 },
      { kind: 'isolate', node: 'n9', atMs: -5 },
      { kind: 'meteor' },
      {
        kind: 'flaky',
        from: 'n1',
        to: '*',
        lossPercent: 'much',
        resetPercent: 1,
        atMs: 1,
        colour: 2,
      },
    ],
  });
  let problems: readonly string[] = [];
  try {
    parseScenario(text);
  } catch (error) {
    if (error instanceof ScenarioError) problems = error.problems;
  }
  expect(problems).toEqual([
    '"seed" (-1) must be a whole number from 0 to 9007199254740991.',
    '"durationMs" ("long") must be a whole number from 1 to 86400000.',
    'faults[0].groups must be a list of lists of nodes.',
    'faults[1].atMs must be a number of at least 0.',
    'faults[1].node "n9" is no node: use n1 to n3, coordinator, c1 for an application, or *.',
    `faults[2].kind "meteor" is none of ${FAULT_KINDS.join(', ')}.`,
    'faults[3].lossPercent must be a number.',
    'faults[3].colour is not a parameter of flaky.',
    '"wether" is not part of a scenario.',
  ]);
});

test('S10: text that is no JSON is an error of the file, not of the program', () => {
  expect(() => parseScenario('seed: 1')).toThrow(ScenarioError);
});

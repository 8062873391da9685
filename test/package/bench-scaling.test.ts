import { expect, test } from 'vitest';
import { SCALING_LOADS, scalingBar, type ScalingStep } from '../../bench/throughput/scaling-bar.ts';

type Measured = Pick<ScalingStep, 'perSecond' | 'clientUs' | 'serverUs' | 'cores'>;

/** What each load of a round gives, by clients and calls in flight. */
function stepsOf(
  rounds: number,
  measured: (load: (typeof SCALING_LOADS)[number]) => Measured,
): readonly ScalingStep[] {
  return Array.from({ length: rounds }, (_, at) => at + 1).flatMap((round) =>
    SCALING_LOADS.map((load) => ({ ...load, ...measured(load), round, isWhole: true })),
  );
}

/** An operation costs a client 10 µs and the nodes 40, or 30 where at least 512 share their turns. */
function fullMachine(share: number) {
  return ({ clients, inFlight }: (typeof SCALING_LOADS)[number]): Measured => {
    const [clientUs, serverUs] = [10, inFlight > 256 ? 30 : 40];
    const most = 2e6 / (clientUs + serverUs);
    return { clientUs, serverUs, cores: 2, perSecond: clients === 1 ? most : most * share };
  };
}

test('clients that cost what one costs at such a load reach all of it, and no more', () => {
  const { met, numbers } = scalingBar('set', stepsOf(5, fullMachine(1)));
  expect(met).toBe(true);
  // 2 processors at 40 µs; at the 50 µs of one client with 256 it would look like 125 %.
  expect(numbers).toMatchObject({
    '1 clients per second': 40_000,
    '3 clients expected': 50_000,
    '3 clients share': 1,
  });
});

test.each([
  [0.91, true],
  [0.89, false],
])('of what the processors allow a share of %d is met: %s', (share, met) => {
  expect(scalingBar('get', stepsOf(5, fullMachine(share))).met).toBe(met);
});

test('where processors stay idle, clients are held against as many times what one did', () => {
  const { numbers } = scalingBar(
    'get',
    stepsOf(1, ({ clients }) => ({
      clientUs: 10,
      serverUs: 10,
      cores: 32,
      perSecond: 20_000 * clients,
    })),
  );
  expect(numbers).toMatchObject({ '2 clients share': 1, '3 clients share': 1 });
});

test('a round that is not whole makes the row partial, and not met', () => {
  const [first, ...rest] = stepsOf(5, fullMachine(1));
  if (first === undefined) throw new Error('There is no step.');
  const row = scalingBar('set', [{ ...first, isWhole: false }, ...rest]);
  expect(row).toMatchObject({ met: false, partial: 'not every round was measured whole' });
  expect(scalingBar('set', []).met).toBe(false);
});

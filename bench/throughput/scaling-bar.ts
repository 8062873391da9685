import type { WorkloadName } from 'memgrid/bench';
import { median, type Measurement } from '../measurement.ts';

export const SCALING_ROW = 'throughput-scaling';
/** Of each client process. */
export const SCALING_IN_FLIGHT = 256;
export const SCALING_CLIENTS = 3;
const BAR = 0.9;

/** What one load in one round gave. */
export interface ScalingStep {
  readonly round: number;
  /** Processes that took part. */
  readonly clients: number;
  /** Calls under way, of all of them together. */
  readonly inFlight: number;
  readonly perSecond: number;
  /** Of all clients, for each operation. */
  readonly clientUs: number;
  /** Of all servers. */
  readonly serverUs: number;
  /** Processors that were ours to use: what we used, and what nobody did. */
  readonly cores: number;
  readonly isWhole: boolean;
}

/** The loads of a round, in turn: so many clients, and one client with as many calls under way. */
export const SCALING_LOADS: readonly Pick<ScalingStep, 'clients' | 'inFlight'>[] = Array.from(
  { length: SCALING_CLIENTS },
  (_, at) => at + 1,
).flatMap((clients) => {
  const inFlight = clients * SCALING_IN_FLIGHT;
  return clients === 1
    ? [{ clients, inFlight }]
    : [
        { clients: 1, inFlight },
        { clients, inFlight },
      ];
});

/**
 * An operation costs the less the more of them are under way, because they share turns and frames: its
 * cost with one client would promise too little for three. So each side is expected to cost what it costs at the
 * load that it has: a client as one alone with as many calls as each has, the nodes as with one client that has
 * as many as all of them together. At that cost the processors that were to be had allow so much a second;
 * no more, though, than as many times what that one client did.
 */
export function scalingBar(workload: WorkloadName, steps: readonly ScalingStep[]): Measurement {
  const [one, ...more] = Array.from({ length: SCALING_CLIENTS }, (_, at) => lineOf(at + 1, steps));
  const lines = one === undefined ? [] : [one, ...more];
  const isWhole = steps.length > 0 && steps.every((step) => step.isWhole);
  return {
    row: SCALING_ROW,
    what:
      `three nodes, memory, one to three client processes with ${SCALING_IN_FLIGHT} in flight each: ${workload}, ` +
      'against what the processors allow at the cost that each side has at such a load',
    bar: `at least ${BAR * 100} %`,
    measured: [...(isWhole ? [] : ['partial']), ...lines.map(lineText)].join('; '),
    met: isWhole && more.every(({ share }) => share >= BAR),
    ...(isWhole ? {} : { partial: 'not every round was measured whole' }),
    numbers: Object.fromEntries(
      lines.flatMap(({ clients, perSecond, expected, cpuUs, share }) => [
        [`${clients} clients per second`, perSecond],
        [`${clients} clients us`, cpuUs],
        ...(clients === 1
          ? []
          : [
              [`${clients} clients expected`, expected],
              [`${clients} clients share`, share],
            ]),
      ]),
    ),
  };
}

interface Outcome {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly expectedUs: number;
  readonly expected: number;
  readonly share: number;
}

interface Line extends Outcome {
  readonly clients: number;
  /** Of each round by itself. */
  readonly shares: readonly number[];
}

/** What so many clients did in some rounds, and what was expected of them. */
function lineOf(clients: number, steps: readonly ScalingStep[]): Line {
  const rounds = [...new Set(steps.map(({ round }) => round))];
  const whole = outcomeOf(clients, steps);
  const each = rounds.map((round) => {
    return outcomeOf(
      clients,
      steps.filter((step) => step.round === round),
    );
  });
  return { clients, ...whole, shares: each.map(({ share }) => share) };
}

/** Of the medians of these rounds, like every other row. */
function outcomeOf(clients: number, steps: readonly ScalingStep[]): Outcome {
  const inFlight = clients * SCALING_IN_FLIGHT;
  const of = (
    load: Pick<ScalingStep, 'clients' | 'inFlight'>,
    value: (step: ScalingStep) => number,
  ): number => {
    const among = steps.filter((step) => {
      return step.clients === load.clients && step.inFlight === load.inFlight;
    });
    return median(among.map(value));
  };
  const these = { clients, inFlight };
  const [one, asMany] = [
    { clients: 1, inFlight: SCALING_IN_FLIGHT },
    { clients: 1, inFlight },
  ];
  const perSecond = of(these, (step) => step.perSecond);
  const cpuUs = of(these, ({ clientUs, serverUs }) => clientUs + serverUs);
  const expectedUs = of(one, ({ clientUs }) => clientUs) + of(asMany, ({ serverUs }) => serverUs);
  const most = clients * of(asMany, (step) => step.perSecond);
  const expected = Math.min(most, (of(these, ({ cores }) => cores) * 1e6) / expectedUs);
  return { perSecond, cpuUs, expectedUs, expected, share: perSecond / expected };
}

function lineText(line: Line): string {
  const { clients, perSecond, cpuUs, expectedUs, expected, share, shares } = line;
  const done = `${clients}: ${perSecondText(perSecond)} a second, ${cpuUs.toFixed(1)} µs each`;
  if (clients === 1) return done;
  const range = [Math.min(...shares), Math.max(...shares)].map(percentText).join('–');
  const spread = shares.length > 1 ? ` (${range})` : '';
  return (
    `${done}, ${percentText(share)} %${spread} of the expected ${perSecondText(expected)} ` +
    `at ${expectedUs.toFixed(1)} µs`
  );
}

function percentText(share: number): string {
  return (share * 100).toFixed(0);
}

function perSecondText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

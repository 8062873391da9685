import { Random } from '@memgrid/core';
import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';
import type { NetworkFault } from './path-conditions.ts';
import type { SimSocket } from './sim-connection.ts';
import { SimNetwork } from './sim-network.ts';

const never = (): boolean => false;

/** Two hosts, `b` listening, and everything that either side is told, with its millisecond. */
class Rig {
  readonly queue: EventQueue;
  readonly network: SimNetwork<number>;
  readonly told: string[] = [];
  dialler: SimSocket<number> | undefined;
  acceptor: SimSocket<number> | undefined;

  constructor(seed = 1) {
    this.queue = new EventQueue(Random.of(seed));
    this.network = new SimNetwork(this.queue, Random.of(seed).split('network'));
    this.network.addHost('a');
    this.network.addHost('b');
  }

  listen(): this {
    this.network.listen('b:1', {
      accepted: (socket) => {
        this.acceptor = socket;
        socket.listen(this.#listener('b'));
        socket.accept();
      },
    });
    return this;
  }

  dial(): this {
    this.network.dial('a', 'b:1', {
      ...this.#listener('a'),
      opened: (socket) => {
        this.dialler = socket;
        socket.listen(this.#listener('a'));
        this.told.push('a opened');
      },
      failed: (problem) => this.told.push(`a ${problem} ${this.#ms}`),
    });
    return this;
  }

  connected(): this {
    return this.listen().dial().run(100);
  }

  run(ms: number): this {
    this.queue.runUntil(this.queue.nowUs + ms * 1000, never);
    return this;
  }

  inflict(fault: Omit<NetworkFault, 'concerns'>, from = '*', to = '*'): () => void {
    const concerns = (source: string, target: string): boolean =>
      (from === '*' || from === source) && (to === '*' || to === target);
    return this.network.inflict({ ...fault, concerns });
  }

  get frames(): number[] {
    return this.told
      .filter((line) => line.startsWith('b got'))
      .map((line) => Number(line.slice(6)));
  }

  get #ms(): number {
    return Math.round(this.queue.nowUs / 1000);
  }

  #listener(side: string) {
    return {
      opened: () => undefined,
      frame: (frame: number, bytes: number) => {
        this.told.push(`${side} got ${frame}`);
        (side === 'a' ? this.dialler : this.acceptor)?.read(bytes);
      },
      closed: () => this.told.push(`${side} closed`),
      buffered: () => undefined,
    };
  }
}

test('S3: frames arrive in order however the path behaves', () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const rig = new Rig(seed).connected();
    rig.inflict({ lossShare: 0.3, extraJitterMs: 50 });
    for (let frame = 0; frame < 50; frame += 1) {
      rig.dialler?.send(frame, 100);
      rig.run(3);
    }
    rig.run(300_000);
    expect(rig.frames).toEqual(Array.from({ length: 50 }, (_, at) => at));
  }
});

test('S4: after a cut a connection goes on at the next retransmission, not at once', () => {
  const rig = new Rig().connected();
  const heal = rig.inflict({ cut: true });
  rig.dialler?.send(1, 100);
  // TCP tries again after 0.2, 0.6, 1.4, 3.0 and 6.2 s.
  rig.run(3_500);
  heal();
  rig.run(2_600);
  expect(rig.frames).toEqual([]);
  rig.run(200);
  expect(rig.frames).toEqual([1]);
});

test('S4: a lost frame is tried again on the path as it is by then, and what follows waits for it', () => {
  const rig = new Rig().connected();
  const heal = rig.inflict({ lossShare: 1 });
  rig.dialler?.send(1, 100);
  rig.run(1_500);
  heal();
  rig.dialler?.send(2, 100);
  rig.run(1_400);
  expect(rig.frames).toEqual([]);
  rig.run(200);
  expect(rig.frames).toEqual([1, 2]);
});

test('S4: without acknowledgements a sender stops after ten segments', () => {
  const rig = new Rig().connected();
  const heal = rig.inflict({ cut: true }, 'b', 'a');
  for (let frame = 0; frame < 20; frame += 1) rig.dialler?.send(frame, 1_460);
  rig.run(5_000);
  expect(rig.frames).toHaveLength(10);
  heal();
  rig.run(60_000);
  expect(rig.frames).toHaveLength(20);
});

test('S5: nobody listens: refused at once; no power: a timeout', () => {
  expect(new Rig().dial().run(10).told).toEqual(['a refused 1']);
  const rig = new Rig().listen();
  rig.network.power('b', false);
  expect(rig.dial().run(10_000).told).toEqual(['a timeout 3000']);
});

test('S5: an address on no known host is unreachable', () => {
  const rig = new Rig();
  const told: string[] = [];
  rig.network.dial('a', 'nowhere:1', {
    opened: () => told.push('opened'),
    failed: (problem) => told.push(problem),
    frame: () => undefined,
    closed: () => undefined,
    buffered: () => undefined,
  });
  rig.run(10);
  expect(told).toEqual(['unreachable']);
});

test('S5: a killed process resets its peers, a host without power tells nobody until it is back', () => {
  const killed = new Rig().connected();
  killed.acceptor?.abort();
  expect(killed.run(10).told).toEqual(['a opened', 'a closed']);

  const silent = new Rig().connected();
  silent.acceptor?.vanish();
  silent.network.power('b', false);
  silent.dialler?.send(1, 100);
  expect(silent.run(10_000).told).toEqual(['a opened']);
  silent.network.power('b', true);
  expect(silent.run(60_000).told).toEqual(['a opened', 'a closed']);
});

test('S3: an orderly end comes after everything that was sent before it', () => {
  const rig = new Rig().connected();
  rig.dialler?.send(1, 100);
  rig.dialler?.close();
  expect(rig.run(10).told).toEqual(['a opened', 'b got 1', 'b closed']);
});

test('S3: a reset that cannot get through leaves both ends half open until one of them speaks', () => {
  const rig = new Rig().connected();
  const heal = rig.inflict({ cut: true });
  rig.network.reset('a', 'b');
  heal();
  rig.run(10_000);
  expect(rig.told).toEqual(['a opened']);
  rig.dialler?.send(1, 100);
  rig.run(10);
  expect(rig.told).toEqual(['a opened', 'a closed']);
});

test('a narrow path delays by bytes, and what is not read stops the sender', () => {
  const rig = new Rig().connected();
  rig.inflict({ bytesPerSecondMax: 1_000 });
  rig.dialler?.send(1, 500);
  expect(rig.run(490).frames).toEqual([]);
  expect(rig.run(20).frames).toEqual([1]);
});

test('a refusing path turns new connections away while old ones live', () => {
  const rig = new Rig().connected();
  rig.inflict({ refuse: true });
  rig.dial().run(10);
  expect(rig.told[0]).toBe('a opened');
  expect(rig.told[1]).toMatch(/^a refused/);
});

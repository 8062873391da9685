import { simulate } from './simulate.ts';
const t0 = performance.now();
const first = Number(process.argv[2]);
const count = Number(process.argv[3]);
for (let seed = first; seed < first + count && performance.now() - t0 < 500_000; seed++) {
  const nodes = [3, 5, 4, 7][seed % 4]!;
  const r = simulate({
    seed,
    nodes,
    durationMs: 60_000,
    timeline: false,
    data: { clients: 2, processes: 3, thinkMs: 120, shards: 8, sync: 'disk', timeoutMs: 2000 },
  });
  console.log(
    seed,
    nodes,
    r.violations
      .map((v) => v.checker + ': ' + v.message)
      .join(' | ')
      .slice(0, 400),
    Math.round(r.simulatedMs),
    JSON.stringify(r.calls),
    Math.round((performance.now() - t0) / 1000) + 's',
  );
}

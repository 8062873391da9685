import { expect, test } from 'vitest';
import { runCommandLine } from './command-line.ts';
import { COMMANDS } from './command-table.ts';
import { recordedTerminal } from './testing/recorded-terminal.ts';
import type { RecordedTerminal } from './testing/recorded-terminal.ts';

async function typed(
  line: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; terminal: RecordedTerminal }> {
  const terminal = recordedTerminal(environment);
  const exitCode = await runCommandLine(line.split(' ').filter(Boolean), terminal);
  return { exitCode, terminal };
}

test.each([
  { line: 'statsu', says: "Unknown command 'statsu'", hints: 'Did you mean status?' },
  { line: 'status --jsno', says: "Unknown option '--jsno'", hints: 'Did you mean --json?' },
  { line: 'coordinator handvoer', says: "Unknown command 'handvoer'", hints: 'handover' },
  { line: 'config chek', says: "Unknown command 'chek'", hints: '`memgrid config --help`' },
  { line: 'status --node http://a/b', says: 'no more than a host', hints: 'status --help' },
  { line: 'status --node http://u:p@a', says: 'no more than a host', hints: 'status --help' },
  { line: '', says: 'A command is missing', hints: 'memgrid --help' },
  { line: 'config', says: 'A command is missing', hints: 'memgrid config --help' },
  { line: 'status extra', says: 'Too many arguments', hints: 'memgrid status --help' },
  { line: 'status --timeout 5', says: 'Give a number with a unit', hints: 'status --help' },
  { line: 'status --timeout 0s', says: 'Give a number with a unit', hints: 'status --help' },
  { line: 'status --node ftp://x', says: 'is no address', hints: 'status --help' },
  { line: 'dev --nodes 0', says: 'Give a whole number from 1 to 20', hints: 'dev --help' },
  { line: 'dev --nodes 3.5', says: 'Give a whole number', hints: 'dev --help' },
  { line: 'coordinator handover --to xyz', says: '4 to 32 hex digits', hints: 'handover --help' },
  { line: 'dev --fresh', says: 'there is no --data', hints: 'Leave out --fresh' },
  { line: 'simulate --nodes 65', says: 'from 1 to 64', hints: 'simulate --help' },
  { line: 'simulate --explore 2 --save x', says: 'one day', hints: 'Leave out --save' },
  { line: 'simulate --time 1s --node n6', says: 'no node n6', hints: 'n1 to n5' },
  { line: 'start --zone a --zone b', says: '--zone is given twice', hints: 'start --help' },
])('"$line" is a usage error that helps', async ({ line, says, hints }) => {
  const { exitCode, terminal } = await typed(line);
  expect(exitCode).toBe(2);
  expect(terminal.out()).toBe('');
  expect(terminal.err()).toContain(says);
  expect(terminal.err()).toContain(hints);
});

test('a usage error with --json is an envelope on stdout', async () => {
  const { exitCode, terminal } = await typed('members --json --nod x');
  expect(exitCode).toBe(2);
  expect(terminal.err()).toBe('');
  expect(JSON.parse(terminal.out())).toMatchObject({
    ok: false,
    command: 'members',
    error: { code: 'USAGE', hint: expect.stringContaining('--node') as string },
  });
});

test.each(['--help', '-h', 'help', '--version', ...COMMANDS.map(({ name }) => `${name} --help`)])(
  '"%s" answers on stdout and ends with 0',
  async (line) => {
    const { exitCode, terminal } = await typed(line);
    expect(exitCode).toBe(0);
    expect(terminal.out().length).toBeGreaterThan(4);
    expect(terminal.err()).toBe('');
  },
);

test('help of every command names its exit codes or its parts', async () => {
  for (const { name } of COMMANDS) {
    const { terminal } = await typed(`${name} --help`);
    expect(terminal.out()).toMatch(/Exit codes|Commands:|Examples:/);
  }
});

test('all problems of a configuration come at once, with both numbers', async () => {
  const line = 'config check --voters-max 4 --listen 127.0.0.1:7700 --http 127.0.0.1:7700 --json';
  const { exitCode, terminal } = await typed(line, { MEMGRID_EXPECT: 'three' });
  expect(exitCode).toBe(2);
  const { error } = JSON.parse(terminal.out()) as { error: { code: string; message: string } };
  expect(error.code).toBe('BAD_CONFIGURATION');
  expect(error.message).toContain('--voters-max');
  expect(error.message).toContain('MEMGRID_EXPECT');
  expect(error.message).toContain('must not share a port');
});

test('the variables of the command line are no unknown options of a node', async () => {
  const { exitCode } = await typed('config check', { MEMGRID_NODE: 'http://127.0.0.1:1' });
  expect(exitCode).toBe(0);
});

test('config show tells where each value comes from and hides the token', async () => {
  const secret = 'a-secret-of-sufficient-length';
  const line = `config show --json --zone east`;
  const { exitCode, terminal } = await typed(line, { MEMGRID_TOKEN: secret });
  expect(exitCode).toBe(0);
  expect(terminal.out()).not.toContain(secret);
  expect(JSON.parse(terminal.out())).toMatchObject({
    data: {
      options: {
        zone: { value: 'east', origin: 'flag' },
        token: { value: '(set)', origin: 'environment' },
        weight: { origin: 'default' },
      },
    },
  });
});

test('a node that does not answer ends with 3 and names the ways out', async () => {
  // Port 1 belongs to nobody on loopback.
  const { exitCode, terminal } = await typed('status --node http://127.0.0.1:1');
  expect(exitCode).toBe(3);
  expect(terminal.err()).toContain('--node or MEMGRID_NODE');
});

import { ClusterError } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { CommandError } from './command-error.ts';
import { runCommand } from './command-run.ts';
import type { CommandResult } from './command-run.ts';
import { EXIT } from './exit-code.ts';
import type { Envelope } from './output/envelope.ts';
import { recordedTerminal } from './testing/recorded-terminal.ts';

const ANSWER: CommandResult = {
  data: { coordinator: 'n1' },
  text: 'coordinator  n1',
  warnings: ['n2 is late.'],
  answeredBy: ['n1'],
  missing: ['n2'],
  exitCode: EXIT.partial,
};

test('text goes to stdout, warnings to stderr, and the exit code to the caller', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'status', json: false, terminal };
  expect(await runCommand(call, async () => ANSWER)).toBe(8);
  expect(terminal.out()).toBe('coordinator  n1\n');
  expect(terminal.err()).toBe('warning: n2 is late.\n');
});

test('--json prints one envelope on one line and nothing on stderr', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'status', json: true, terminal };
  expect(await runCommand(call, async () => ANSWER)).toBe(8);
  expect(terminal.err()).toBe('');
  expect(terminal.out().trimEnd()).not.toContain('\n');
  expect(JSON.parse(terminal.out())).toEqual({
    ok: true,
    command: 'status',
    data: { coordinator: 'n1' },
    warnings: ['n2 is late.'],
    durationMs: expect.any(Number),
    answeredBy: ['n1'],
    missing: ['n2'],
  });
});

test('a failure says what to do, on stderr, with its own exit code', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'status', json: false, terminal };
  const exitCode = await runCommand(call, async () => {
    throw new CommandError('NO_NODE_REACHABLE', 'Nobody answers.', {
      exitCode: EXIT.unreachable,
      hint: 'Start one.',
    });
  });
  expect(exitCode).toBe(3);
  expect(terminal.out()).toBe('');
  expect(terminal.err()).toBe('error: Nobody answers.\nhint: Start one.\n');
});

test('a failure with --json is an envelope too', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'status', json: true, terminal };
  await runCommand(call, async () => {
    throw new CommandError('NO_NODE_REACHABLE', 'Nobody answers.');
  });
  expect(JSON.parse(terminal.out())).toMatchObject({
    ok: false,
    error: { code: 'NO_NODE_REACHABLE', message: 'Nobody answers.' },
  });
});

test.each([
  { code: 'BAD_CONFIGURATION', exitCode: 2 },
  { code: 'ADDRESS_IN_USE', exitCode: 6 },
  { code: 'DIRECTORY_LOCKED', exitCode: 6 },
  { code: 'DIRECTORY_CORRUPT', exitCode: 1 },
])('a start error $code ends with $exitCode and keeps its message', async ({ code, exitCode }) => {
  const terminal = recordedTerminal();
  const call = { command: 'start', json: false, terminal };
  const failing = async (): Promise<CommandResult> => {
    throw Object.assign(new Error('The address is taken.'), { code, hint: 'Choose another.' });
  };
  expect(await runCommand(call, failing)).toBe(exitCode);
  expect(terminal.err()).toBe('error: The address is taken.\nhint: Choose another.\n');
});

test('a failure that nobody foresaw shows its trace: it is a bug', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'status', json: false, terminal };
  expect(await runCommand(call, () => Promise.reject(new TypeError('x is undefined')))).toBe(1);
  expect(terminal.err()).toContain('command-run.test.ts');
});

const OPERATION = '01900000-0000-7000-8000-000000000001';

test.each([
  { argv: ['put', '--', '-x y'], again: `put --operation-id ${OPERATION} -- '-x y'` },
  {
    argv: ['put', 'x', '--operation-id', OPERATION],
    again: `put x --operation-id ${OPERATION}`,
  },
])('whoever does not know what became of $argv is given the command that asks', async (given) => {
  const terminal = recordedTerminal();
  const call = { command: 'put', json: false, terminal, argv: given.argv };
  const options = { applied: 'unknown', operationId: OPERATION } as const;
  const error = new ClusterError('TIMEOUT', { timeoutMs: 5 }, options);
  expect(await runCommand(call, () => Promise.reject(error))).toBe(1);
  expect(terminal.err()).toContain('hint: It may have been carried out.');
  expect(terminal.err()).toContain(`\n  memgrid ${given.again}\n`);
});

test('a write that certainly did nothing says so, and a read has nothing to say about that', async () => {
  const problem = 'its primary is down.';
  for (const operationId of [OPERATION, undefined]) {
    const terminal = recordedTerminal();
    const call = { command: 'put', json: false, terminal, argv: ['put', 'x'] };
    const options = { applied: 'no', operationId } as const;
    const error = new ClusterError('SHARD_UNAVAILABLE', { shard: 3, problem }, options);
    await runCommand(call, () => Promise.reject(error));
    const nothing = terminal.err().includes('Nothing was changed.');
    expect(nothing).toBe(operationId !== undefined);
    expect(terminal.err()).not.toContain('--operation-id');
  }
});

test('the operation of a failed write is part of the envelope', async () => {
  const terminal = recordedTerminal();
  const call = { command: 'put', json: true, terminal, argv: ['put', 'x', '--json'] };
  const options = { applied: 'unknown', operationId: OPERATION } as const;
  const error = new ClusterError('TIMEOUT', { timeoutMs: 5 }, options);
  await runCommand(call, () => Promise.reject(error));
  const { error: shown } = JSON.parse(terminal.out()) as Envelope;
  expect(shown).toMatchObject({ code: 'TIMEOUT', operationId: OPERATION });
});

import { expect, test } from 'vitest';
import { MemgridProcess } from '../cluster/memgrid-process.ts';

// A document that the program writes itself: `vitest run test/package -u` writes it again, and
// review sees every change of a command.

const COMMANDS = [
  '',
  'dev',
  'start',
  'status',
  'members',
  'coordinator show',
  'coordinator handover',
  'shards',
  'drain',
  'expel',
  'revive',
  'orphans list',
  'orphans drop',
  'put',
  'get',
  'update',
  'delete',
  'list',
  'history',
  'watch',
  'import',
  'export',
  'verify',
  'schema define',
  'workload register',
  'bench',
  'simulate',
  'config check',
  'config show',
];

test('docs/operations/command-line.md is the help of every command', async () => {
  const sections = await Promise.all(
    COMMANDS.map(async (name) => {
      await using command = new MemgridProcess([...name.split(' ').filter(Boolean), '--help']);
      expect((await command.exit).exitCode).toBe(0);
      // The options of a node have a page of their own.
      const help = command.stdout.replace(/\nOptions of a node[\s\S]*?(?=\n\S|$)/, '').trim();
      return `## memgrid ${name}`.trim() + `\n\n\`\`\`text\n${help}\n\`\`\`\n`;
    }),
  );
  const head =
    '# Command line\n\nEvery command, as it explains itself. The options of a node are in\n' +
    '[configuration.md](configuration.md).\n\n';
  await expect(head + sections.join('\n')).toMatchFileSnapshot(
    '../../docs/operations/command-line.md',
  );
});

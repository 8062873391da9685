#!/usr/bin/env node
// Says kindly which runtime is needed before anything newer than it is parsed.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `memgrid needs Node 22.18 or later; this is ${process.versions.node} (${process.execPath}).\n` +
      'In a clone of the repository, `npx -y pnpm@12 start` brings its own Node 24.\n',
  );
  process.exit(2);
}
const { main } = await import('../dist/main.js');
await main(process.argv.slice(2));

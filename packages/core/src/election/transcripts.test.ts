import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RaftStage } from '../testing/raft-stage.ts';
import { playTranscript } from '../testing/transcript.ts';

const folder = new URL('../../testdata/election/', import.meta.url);

test.each(readdirSync(folder).sort())('%s reads as it always did', async (name) => {
  const file = new URL(name, folder);
  const stage = new RaftStage();
  const played = playTranscript(readFileSync(file, 'utf8'), (command) => stage.perform(command));
  await expect(played).toMatchFileSnapshot(file.pathname);
});

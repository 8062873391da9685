import { expect, test } from 'vitest';
import { LoggedRecord } from './logged-record.ts';

test('a record that took effect is kept once: as what it says, or as its bytes when somebody needed them', () => {
  const body = { kind: 'activate' } as const;
  const made = { epoch: 3, index: 7, sync: 'memory', body, winner: undefined } as const;
  const logged = LoggedRecord.made({ ...made, bytes: undefined });
  logged.settle();
  expect(logged.body).toEqual(body);
  const { record } = logged;
  expect(record).toMatchObject({ epoch: 3, index: 7, sync: 'memory' });
  expect(logged.body).toBeUndefined();
  expect(logged.read()).toEqual(body);
});

import { expect, test } from 'vitest';
import { EventFeed } from './event-feed.ts';
import type { ObservedEvent } from './event-levels.ts';

function stall(stalledMs: number): ObservedEvent {
  return { name: 'loop.stalled', stalledMs };
}

async function all(reading: AsyncIterable<ObservedEvent>): Promise<ObservedEvent[]> {
  const events: ObservedEvent[] = [];
  for await (const event of reading) events.push(event);
  return events;
}

test('every reader gets every event from the moment it began to read', async () => {
  const feed = new EventFeed();
  feed.publish(stall(1));
  const early = feed.read();
  feed.publish(stall(2));
  const late = feed.read();
  feed.publish(stall(3));
  feed.end();
  expect(await all(early)).toEqual([stall(2), stall(3)]);
  expect(await all(late)).toEqual([stall(3)]);
});

test('a waiting reader is woken by an event and by the end', async () => {
  const feed = new EventFeed();
  const reading = all(feed.read());
  await Promise.resolve();
  feed.publish(stall(1));
  feed.end();
  expect(await reading).toEqual([stall(1)]);
});

test('a slow reader loses the oldest events and is told how many', async () => {
  const feed = new EventFeed();
  const reading = feed.read();
  for (let at = 0; at < 1_030; at += 1) feed.publish(stall(at));
  feed.end();
  const events = await all(reading);
  expect(events[0]).toEqual({ name: 'events.dropped', count: 6 });
  expect(events[1]).toEqual(stall(6));
  expect(events).toHaveLength(1_025);
});

test('a signal ends the reading, also one that was aborted before', async () => {
  const feed = new EventFeed();
  const controller = new AbortController();
  const reading = all(feed.read(controller.signal));
  controller.abort();
  feed.publish(stall(1));
  expect(await reading).toEqual([]);
  expect(await all(feed.read(AbortSignal.abort()))).toEqual([]);
});

test('leaving the loop stops the reading', async () => {
  const feed = new EventFeed();
  const reading = feed.read();
  feed.publish(stall(1));
  feed.publish(stall(2));
  for await (const event of reading) {
    expect(event).toEqual(stall(1));
    break;
  }
  feed.publish(stall(3));
  feed.end();
  expect((await reading.next()).value).toEqual(stall(2));
  expect((await reading.next()).done).toBe(true);
});

import { readFile } from 'node:fs/promises';
import { Random } from '@memgrid/core';
import { CommandError } from '../command-error.ts';
import { SCOPE_ENTRIES } from './dataset.ts';
import type { BenchEntry, Dataset, DatasetSize } from './dataset.ts';
import { SAMPLE_TURNS } from './sample-turns.ts';

export interface BenchDatasetOptions {
  readonly size: DatasetSize;
  /** Rounded up to whole scopes. Default 10,000; 1,000 of the size 16384. */
  readonly count?: number;
  /** One JSON object a line, with `text` and any other fields. Default: a sample that comes along. */
  readonly turnsFile?: string;
}

/** A store that holds this much is no bench any more: everything below also lives in this process. */
export const DATASET_COUNT_MAX = 1_000_000;

/** Texts are made of this seed, so that they are the same in every run. */
const TEXT_SEED = 4;

/**
 * Makes the entries of a run.
 *
 * @throws CommandError when the file cannot be read or has a line without a text.
 */
export async function benchDataset(options: BenchDatasetOptions): Promise<Dataset> {
  const { size, turnsFile } = options;
  const wanted = options.count ?? (size === '16384' ? 1_000 : 10_000);
  const count = Math.ceil(wanted / SCOPE_ENTRIES) * SCOPE_ENTRIES;
  if (size !== 'turns') return datasetOf(size, 'synthetic', syntheticEntries(Number(size), count));
  const turns = turnsFile === undefined ? SAMPLE_TURNS : await turnsOf(turnsFile);
  const source = turnsFile === undefined ? 'sample' : 'file';
  return datasetOf(size, source, turnEntries(turns, count));
}

function datasetOf(
  size: DatasetSize,
  source: Dataset['source'],
  entries: readonly BenchEntry[],
): Dataset {
  const texts = entries.map(({ content, metadata }) => JSON.stringify({ content, metadata }));
  const keys = entries.map(({ id, userId }) => `${userId}:${id}`);
  const numbers = new Map(entries.map(({ id }, n) => [id, n]));
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    size,
    source,
    count: entries.length,
    scopes: entries.length / SCOPE_ENTRIES,
    bytesMean: Math.round(bytes / entries.length),
    entry: (n) => at(entries, n),
    key: (n) => at(keys, n),
    text: (n) => at(texts, n),
    numberOf: (id) => numbers.get(id),
  };
}

function at<T>(all: readonly T[], n: number): T {
  const found = all[n];
  if (found === undefined) throw new RangeError(`There are ${all.length} entries, and no ${n}.`);
  return found;
}

function named(n: number): { readonly id: string; readonly userId: string } {
  return { id: `e${n}`, userId: `u${Math.floor(n / SCOPE_ENTRIES)}` };
}

interface Turn {
  readonly text: string;
  readonly [field: string]: string | number;
}

function turnEntries(turns: readonly Turn[], count: number): readonly BenchEntry[] {
  return Array.from({ length: count }, (_, n) => {
    const { text, ...said } = at(turns, n % turns.length);
    const place = { session: 1 + (Math.floor(n / 20) % 19), turn: `D${1 + (n % 20)}:${n}` };
    const when = '1:56 pm on 8 May, 2023';
    return {
      ...named(n),
      content: text,
      metadata: { conversation: '26', when, ...place, ...said },
    };
  });
}

async function turnsOf(file: string): Promise<readonly Turn[]> {
  const lines = (await read(file)).split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw badFile(file, 'has no line');
  return lines.map((line, index) => {
    const turn = parsed(line);
    if (turn === undefined) throw badFile(file, `line ${index + 1} is no object with a text`);
    return turn;
  });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw badFile(file, `cannot be read: ${(error as Error).message}`);
  }
}

/** Undefined for what is no turn. Fields that are neither text nor number are left out. */
function parsed(line: string): Turn | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { text, ...rest } = value as Record<string, unknown>;
  if (typeof text !== 'string' || text === '') return undefined;
  const plain = Object.entries(rest).filter(
    (field): field is [string, string | number] =>
      typeof field[1] === 'string' || typeof field[1] === 'number',
  );
  return { ...Object.fromEntries(plain), text };
}

function badFile(file: string, problem: string): CommandError {
  return new CommandError('BAD_DATASET', `${file} ${problem}.`, {
    hint: 'Give a file with one JSON object a line, like {"speaker": "Ada", "text": "Good morning."}.',
  });
}

/** Words of letters in an order that does not repeat, so that nothing on the way can compress it well. */
function syntheticEntries(bytes: number, count: number): readonly BenchEntry[] {
  const random = Random.of(TEXT_SEED);
  const letters = 'abcdefghijklmnopqrstuvwxyz ';
  const pool = Buffer.alloc(Math.max(1 << 16, 2 * bytes));
  for (let place = 0; place < pool.length; place += 1) {
    pool[place] = letters.charCodeAt(random.below(letters.length));
  }
  return Array.from({ length: count }, (_, n) => {
    const from = random.below(pool.length - bytes);
    // A text of its own: a slice of a long text would be copied by whoever sends it first.
    const content = pool.toString('latin1', from, from + bytes);
    return { ...named(n), content, metadata: { n } };
  });
}

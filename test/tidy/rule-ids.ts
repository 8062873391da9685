/** A rule as a DESIGN.md states it. */
export interface StatedRule {
  readonly id: string;
  readonly file: string;
  readonly text: string;
}

/** A rule as a test title cites it. */
export interface CitedRule {
  readonly id: string;
  readonly file: string;
}

const HEADING = /^### ([A-Z]{1,2}\d+): (.+)$/gm;
/** Titles are string literals or templates right after `test(`, `test.each(…)(` and the like. */
const TITLE = /(?:\btest(?:\.\w+)*|\)|\])\s*\(\s*(['"`])((?:[A-Z]{1,2}\d+(?:, | and )?)+):/g;
const ID = /[A-Z]{1,2}\d+/g;

/** The rules of one DESIGN.md, in its order. */
export function statedRules(file: string, markdown: string): readonly StatedRule[] {
  return [...markdown.matchAll(HEADING)].map(([, id = '', text = '']) => ({ id, file, text }));
}

/** The rules that the titles of one test file cite. `'M4, M5: …'` cites both. */
export function citedRules(file: string, source: string): readonly CitedRule[] {
  return [...source.matchAll(TITLE)].flatMap(([, , ids = '']) =>
    [...ids.matchAll(ID)].map(([id]) => ({ id, file })),
  );
}

/** What disagrees between design and tests, one sentence each; empty when all is well. */
export function disagreements(
  stated: readonly StatedRule[],
  cited: readonly CitedRule[],
): readonly string[] {
  const statedIds = new Set(stated.map((rule) => rule.id));
  const citedIds = new Set(cited.map((rule) => rule.id));
  const seen = new Map<string, string>();
  const twice = stated.flatMap((rule) => {
    const first = seen.get(rule.id);
    seen.set(rule.id, rule.file);
    return first === undefined ? [] : [`${rule.id} is stated in ${first} and in ${rule.file}.`];
  });
  const untested = stated
    .filter((rule) => !citedIds.has(rule.id))
    .map((rule) => `${rule.id} of ${rule.file} is cited by no test title.`);
  const unknown = cited
    .filter((rule) => !statedIds.has(rule.id))
    .map((rule) => `${rule.id}, cited in ${rule.file}, is stated by no DESIGN.md.`);
  return [...twice, ...untested, ...unknown];
}

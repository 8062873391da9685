import type { CompileSchema } from '@memgrid/core';
import type { SchemaProblem } from '@memgrid/protocol';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';

/** Problems of one value that are told; a list of a thousand wrong items needs no more. */
const PROBLEMS_MAX = 32;

/**
 * Of all patterns of a body together. A text of 64 KiB takes 0.4 ms an instruction in the worst
 * case, measured with patterns that are bad for RE2 (`(a|b)*a(a|b){200}`).
 */
const PATTERN_INSTRUCTIONS_MAX = 1_000;

/**
 * A validator of the body of a schema, by Ajv.
 *
 * Bodies come from outside. `parseSchema` has bounded them already: no references, no recursion, a
 * number of keywords, pairs of unique items. Patterns run on RE2, whose time grows with the text
 * and not with its square; it has no backreferences and no look-around, and says so here.
 *
 * @throws RangeError for a body that Ajv refuses.
 */
export const compileSchema: CompileSchema = (body) => {
  // One instance for each body, so that compiled code goes when its validator goes.
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    // A property may be described by a branch of `anyOf` without its type being repeated there.
    strictTypes: false,
    allowUnionTypes: true,
    allErrors: true,
    // Nothing is changed while it is looked at.
    useDefaults: false,
    coerceTypes: false,
    removeAdditional: false,
    // Bodies were checked by `parseSchema`, and the meta-schema costs ten times the rest.
    validateSchema: false,
    addUsedSchema: false,
    unicodeRegExp: true,
    code: { regExp: linearPatterns() },
    logger: false,
  });
  const validate = compiled(ajv, body);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, PROBLEMS_MAX).map(problemOf);
  };
};

function compiled(ajv: Ajv2020, body: Parameters<CompileSchema>[0]): ValidateFunction {
  try {
    return ajv.compile(body);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new RangeError(`The schema cannot be compiled: ${problem}`, { cause: error });
  }
}

/** Ajv writes this text into code that is meant for bundling; memgrid compiles at run time only. */
const REQUIRED_AS = 'require("re2js")';

/** Patterns of one body, which share an allowance of instructions. */
function linearPatterns(): CodeRegExp {
  let instructions = 0;
  const compilePattern = (pattern: string): { test(text: string): boolean } => {
    const program = RE2JS.compile(pattern);
    instructions += program.programSize();
    if (instructions > PATTERN_INSTRUCTIONS_MAX) {
      throw new RangeError(
        `The patterns take ${instructions} instructions; at most ${PATTERN_INSTRUCTIONS_MAX} may be.`,
      );
    }
    return { test: (text) => program.matcher(text).find() };
  };
  return Object.assign(compilePattern, { code: REQUIRED_AS });
}

type CodeRegExp = NonNullable<NonNullable<Options['code']>['regExp']>;

function problemOf(error: ErrorObject): SchemaProblem {
  return {
    path: error.instancePath,
    problem: `${error.message ?? error.keyword}${detailOf(error)}.`,
  };
}

/** What Ajv's sentence leaves out: which values are allowed, which name is too much. */
function detailOf({ keyword, params }: ErrorObject): string {
  switch (keyword) {
    case 'enum': {
      const allowed = (params as { readonly allowedValues: readonly unknown[] }).allowedValues;
      return `: ${allowed.map((value) => JSON.stringify(value)).join(', ')}`;
    }
    case 'const':
      return `: ${JSON.stringify((params as { readonly allowedValue: unknown }).allowedValue)}`;
    case 'additionalProperties': {
      const { additionalProperty } = params as { readonly additionalProperty: string };
      return `: ${JSON.stringify(additionalProperty)}`;
    }
    default:
      return '';
  }
}

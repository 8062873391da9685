import { HistoryError } from './history-error.ts';
import type { HistoryEvent, HistoryValue } from './history-event.ts';
import { operationsOf } from './history-pairing.ts';
import type { HistoryOperation } from './history-pairing.ts';

/** What a register holds, as text that is equal when the values are. */
export type RegisterState = string;

/** A register that was never written or was deleted: a read of it answers `null`. */
export const ABSENT: RegisterState = 'null';

/** The fields that a patch replaces; the others stay. */
export type RegisterPatch = Readonly<Record<string, string | number | boolean>>;

/** An operation on one register that took effect, or may have. */
export interface RegisterOperation {
  /** Index of the event that began it. */
  readonly from: number;
  /** Index of the event that ended it; infinite while the outcome is unknown. */
  readonly to: number;
  readonly process: number;
  readonly f: 'read' | 'write' | 'cas' | 'patch' | 'delete';
  /** What it saw: a read its answer, a cas what it compared with. */
  readonly sees: RegisterState | undefined;
  /** What it leaves behind whatever was there; a read and a patch have none. */
  readonly leaves: RegisterState | undefined;
  /** Of a patch: what it changes. It takes effect only where there is something. */
  readonly patch?: RegisterPatch;
}

/**
 * The operations of every register, by key, each list in the order of invocation.
 *
 * Left out is what cannot have changed or shown anything: operations that certainly failed, and
 * reads without an answer.
 *
 * @throws HistoryError naming every operation that is none of a register.
 */
export function registerOperations(
  events: readonly HistoryEvent[],
): ReadonlyMap<string, readonly RegisterOperation[]> {
  const problems: string[] = [];
  const byKey = new Map<string, RegisterOperation[]>();
  for (const operation of operationsOf(events)) {
    const found = shapeProblems(operation);
    problems.push(...found);
    const { key } = operation.invoke;
    if (found.length > 0 || key === undefined) continue;
    const list = byKey.get(key) ?? [];
    byKey.set(key, list);
    const effective = effectOf(operation);
    if (effective !== undefined) list.push(effective);
  }
  if (problems.length > 0) throw new HistoryError(problems);
  return byKey;
}

/** `process 3 wrote "a"`, `process 4 read nothing`. */
export function describeOperation(operation: RegisterOperation): string {
  const { process, f, sees = ABSENT, leaves = ABSENT } = operation;
  const unknown = operation.to === Infinity;
  switch (f) {
    case 'read':
      return `process ${process} read ${describeState(sees)}`;
    case 'write':
      return `process ${process} ${unknown ? 'may have written' : 'wrote'} ${describeState(leaves)}`;
    case 'delete':
      return `process ${process} ${unknown ? 'may have deleted' : 'deleted'} it`;
    case 'patch': {
      const change = unknown ? 'may have patched' : 'patched';
      return `process ${process} ${change} it with ${JSON.stringify(operation.patch)}`;
    }
    case 'cas': {
      const change = unknown ? 'may have changed' : 'changed';
      return `process ${process} ${change} ${describeState(sees)} to ${describeState(leaves)}`;
    }
  }
}

/** What an operation makes of a state; undefined for a read, and where it cannot take effect. */
export function stateAfter(
  { f, leaves, patch, sees }: RegisterOperation,
  state: RegisterState,
): RegisterState | undefined {
  if (f === 'read' || (sees !== undefined && sees !== state)) return undefined;
  if (patch === undefined) return leaves;
  if (state === ABSENT) return undefined;
  const held: unknown = JSON.parse(state);
  return canonical({ ...(isFields(held) ? held : {}), ...patch });
}

/** What of a state can be recognised again: its fields one by one, or the whole if it has none. */
export function partsOf(state: RegisterState): readonly string[] {
  const value: unknown = JSON.parse(state);
  return isFields(value) ? partsOfFields(value) : [state];
}

/** The same of what an operation leaves behind. */
export function partsLeftBy({ leaves, patch }: RegisterOperation): readonly string[] {
  if (patch !== undefined) return partsOfFields(patch);
  return leaves === undefined ? [] : partsOf(leaves);
}

/** `nothing` for a register that is absent, otherwise the value. */
export function describeState(state: RegisterState): string {
  return state === ABSENT ? 'nothing' : state;
}

function effectOf({
  invoke,
  completion,
  outcome,
}: HistoryOperation): RegisterOperation | undefined {
  if (outcome === 'fail') return undefined;
  const to = outcome === 'ok' ? (completion?.index ?? Infinity) : Infinity;
  const { process, index: from } = invoke;
  const base = { from, to, process };
  switch (invoke.f) {
    case 'read': {
      if (outcome !== 'ok') return undefined;
      const sees = canonical(completion?.value ?? null);
      return { ...base, f: 'read', sees, leaves: undefined };
    }
    case 'cas': {
      const [expected = null, next = null] = invoke.value as readonly HistoryValue[];
      return { ...base, f: 'cas', sees: canonical(expected), leaves: canonical(next) };
    }
    case 'delete':
      return { ...base, f: 'delete', sees: undefined, leaves: ABSENT };
    case 'patch': {
      // Refused, because there was nothing: it has seen that.
      if (outcome === 'ok' && completion?.value === null) {
        return { ...base, f: 'read', sees: ABSENT, leaves: undefined };
      }
      const patch = invoke.value as RegisterPatch;
      return { ...base, f: 'patch', sees: undefined, leaves: undefined, patch };
    }
    default:
      return { ...base, f: 'write', sees: undefined, leaves: canonical(invoke.value ?? null) };
  }
}

function shapeProblems({ invoke, completion, outcome }: HistoryOperation): readonly string[] {
  const problems: string[] = [];
  const line = `Line ${invoke.index + 1}:`;
  if (invoke.key === undefined) problems.push(`${line} a ${invoke.f} needs a "key".`);
  switch (invoke.f) {
    case 'read':
      // An answer that was forgotten must not pass for the answer "nothing".
      if (outcome === 'ok' && completion?.value === undefined) {
        problems.push(`Line ${(completion?.index ?? 0) + 1}: a read that is ok needs a "value".`);
      }
      break;
    case 'write':
      if (invoke.value === undefined || invoke.value === null) {
        problems.push(`${line} a write needs a "value" other than null; use delete.`);
      }
      break;
    case 'cas':
      if (!Array.isArray(invoke.value) || invoke.value.length !== 2) {
        problems.push(`${line} a cas needs a "value" of two: [expected, new].`);
      }
      break;
    case 'patch':
      if (!isPatch(invoke.value)) {
        problems.push(`${line} a patch needs a "value" with fields that are no objects or lists.`);
      }
      break;
    case 'delete':
      break;
    default:
      problems.push(`${line} "${invoke.f}" is none of read, write, cas, patch and delete.`);
  }
  return problems;
}

function isFields(value: unknown): value is Readonly<Record<string, HistoryValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPatch(value: unknown): boolean {
  if (!isFields(value)) return false;
  const fields = Object.values(value);
  return fields.length > 0 && fields.every((field) => field !== null && typeof field !== 'object');
}

function partsOfFields(fields: Readonly<Record<string, HistoryValue>>): readonly string[] {
  const names = Object.entries(fields);
  // An entry without a field is a state like any other.
  if (names.length === 0) return ['{}'];
  return names.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`);
}

/** Objects are equal whatever the order of their fields. */
function canonical(value: HistoryValue): RegisterState {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

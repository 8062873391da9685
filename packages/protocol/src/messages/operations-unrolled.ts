import type { Field } from '../wire/field.ts';
import { unrolled, type UnionField } from '../wire/struct.ts';
import { UNREAD } from '../wire/wire-reader.ts';
import type {
  Answer,
  AnswerSource,
  Durability,
  EntryVersion,
  FoundEntry,
  Operation,
  OperationBody,
  OperationResult,
  ReadLevel,
  ShardPosition,
  SyncClass,
} from './operations.ts';

/**
 * The two structs of which there is one for every call, and the variants that nearly all of them
 * have, written out: see `unrolled`. Whatever is unusual is left to the general fields.
 */
const OPERATION_FIELDS = 11;
const ANSWER_FIELDS = 4;
const FOUND_ENTRY_FIELDS = 3;

const PUT = 1;
const GET = 4;
const FOUND = 2;
const WRITTEN = 1;

export interface OperationParts {
  readonly general: Field<Operation>;
  readonly id: Field<Operation['id']>;
  readonly shard: Field<Operation['shard']>;
  readonly operationId: Field<string>;
  readonly body: Field<OperationBody>;
  readonly read: Field<ReadLevel>;
  readonly durability: Field<Durability>;
  readonly sync: Field<SyncClass>;
  readonly timeoutMs: Field<number>;
  readonly noAutonomous: Field<boolean>;
  readonly schemaVersion: Field<number | undefined>;
}

export function unrolledOperation(parts: OperationParts): Field<Operation> {
  const { general, id, shard, operationId, body, durability, sync, timeoutMs } = parts;
  const { read, noAutonomous, schemaVersion } = parts;
  return unrolled(general, {
    write: (operation, to) => {
      if (operation.unknownFields !== undefined) {
        general.write(operation, to);
        return;
      }
      to.list(OPERATION_FIELDS);
      id.write(operation.id, to);
      shard.write(operation.shard, to);
      operationId.write(operation.operationId, to);
      body.write(operation.body, to);
      read.write(operation.read, to);
      durability.write(operation.durability, to);
      sync.write(operation.sync, to);
      timeoutMs.write(operation.timeoutMs, to);
      noAutonomous.write(operation.noAutonomous, to);
      id.write(operation.atLeast, to);
      schemaVersion.write(operation.schemaVersion, to);
    },
    read: (from) => {
      // A sender that leaves the last one out is of another version.
      if (from.list() !== OPERATION_FIELDS) throw UNREAD;
      return {
        id: id.read(from),
        shard: shard.read(from),
        operationId: operationId.read(from),
        body: body.read(from),
        read: read.read(from),
        durability: durability.read(from),
        sync: sync.read(from),
        timeoutMs: timeoutMs.read(from),
        noAutonomous: noAutonomous.read(from),
        atLeast: id.read(from),
        schemaVersion: schemaVersion.read(from),
      };
    },
  });
}

type Put = Extract<OperationBody, { readonly kind: 'put' }>;

export interface BodyParts {
  readonly general: UnionField<OperationBody>;
  readonly namespace: Field<string>;
  readonly key: Field<string>;
  readonly entry: Field<Uint8Array>;
  readonly condition: Field<Put['condition']>;
}

export function unrolledBody(parts: BodyParts): Field<OperationBody> {
  const { general, namespace, key, entry, condition } = parts;
  return unrolled(general, {
    write: (body, to) => {
      if (body.unknownFields === undefined && body.kind === 'get') {
        to.list(3);
        to.number(GET);
        namespace.write(body.namespace, to);
        key.write(body.key, to);
      } else if (body.unknownFields === undefined && body.kind === 'put') {
        to.list(5);
        to.number(PUT);
        namespace.write(body.namespace, to);
        key.write(body.key, to);
        entry.write(body.entry, to);
        condition.write(body.condition, to);
      } else general.write(body, to);
    },
    read: (from) => {
      const count = from.list();
      const variant = count === 0 ? undefined : from.number();
      if (variant === GET && count === 3) {
        return { kind: 'get', namespace: namespace.read(from), key: key.read(from) };
      }
      if (variant === PUT && count === 5) {
        return {
          kind: 'put',
          namespace: namespace.read(from),
          key: key.read(from),
          entry: entry.read(from),
          condition: condition.read(from),
        };
      }
      return general.readVariant(from, variant, count - 1);
    },
  });
}

export interface AnswerParts {
  readonly general: Field<Answer>;
  readonly id: Field<Answer['id']>;
  readonly shard: Field<Answer['shard']>;
  readonly position: Field<ShardPosition>;
  readonly result: Field<OperationResult>;
}

export function unrolledAnswer({
  general,
  id,
  shard,
  position,
  result,
}: AnswerParts): Field<Answer> {
  return unrolled(general, {
    write: (answer, to) => {
      if (answer.unknownFields !== undefined) {
        general.write(answer, to);
        return;
      }
      to.list(ANSWER_FIELDS);
      id.write(answer.id, to);
      shard.write(answer.shard, to);
      position.write(answer.position, to);
      result.write(answer.result, to);
    },
    read: (from) => {
      if (from.list() !== ANSWER_FIELDS) throw UNREAD;
      return {
        id: id.read(from),
        shard: shard.read(from),
        position: position.read(from),
        result: result.read(from),
      };
    },
  });
}

type Written = Extract<OperationResult, { readonly kind: 'written' }>;

export interface ResultParts {
  readonly general: UnionField<OperationResult>;
  readonly version: Field<EntryVersion>;
  readonly acknowledged: Field<Written['acknowledged']>;
  readonly sync: Field<SyncClass>;
  readonly flag: Field<boolean>;
  readonly existed: Field<boolean | undefined>;
  readonly found: Field<FoundEntry>;
  readonly source: Field<AnswerSource>;
  readonly stalenessMs: Field<number>;
}

export function unrolledResult(parts: ResultParts): Field<OperationResult> {
  const { general, version, acknowledged, sync, flag, existed } = parts;
  const { found, source, stalenessMs } = parts;
  return unrolled(general, {
    write: (result, to) => {
      if (result.unknownFields === undefined && result.kind === 'found') {
        to.list(4);
        to.number(FOUND);
        found.write(result.found, to);
        source.write(result.source, to);
        stalenessMs.write(result.stalenessMs, to);
      } else if (result.unknownFields === undefined && result.kind === 'written') {
        to.list(7);
        to.number(WRITTEN);
        version.write(result.version, to);
        acknowledged.write(result.acknowledged, to);
        sync.write(result.sync, to);
        flag.write(result.autonomous, to);
        flag.write(result.repeated, to);
        existed.write(result.existed, to);
      } else general.write(result, to);
    },
    read: (from) => {
      const count = from.list();
      const variant = count === 0 ? undefined : from.number();
      if (variant === FOUND && count === 4) {
        return {
          kind: 'found',
          found: found.read(from),
          source: source.read(from),
          stalenessMs: stalenessMs.read(from),
        };
      }
      if (variant === WRITTEN && count === 7) {
        return {
          kind: 'written',
          version: version.read(from),
          acknowledged: acknowledged.read(from),
          sync: sync.read(from),
          autonomous: flag.read(from),
          repeated: flag.read(from),
          existed: existed.read(from),
        };
      }
      return general.readVariant(from, variant, count - 1);
    },
  });
}

export interface FoundEntryParts {
  readonly general: Field<FoundEntry>;
  readonly key: Field<string>;
  readonly entry: Field<Uint8Array>;
  readonly version: Field<EntryVersion>;
}

export function unrolledFoundEntry(parts: FoundEntryParts): Field<FoundEntry> {
  const { general, key, entry, version } = parts;
  return unrolled(general, {
    write: (found, to) => {
      if (found.unknownFields !== undefined) {
        general.write(found, to);
        return;
      }
      to.list(FOUND_ENTRY_FIELDS);
      key.write(found.key, to);
      entry.write(found.entry, to);
      version.write(found.version, to);
    },
    read: (from) => {
      if (from.list() !== FOUND_ENTRY_FIELDS) throw UNREAD;
      return { key: key.read(from), entry: entry.read(from), version: version.read(from) };
    },
  });
}

export interface VersionParts {
  readonly general: Field<EntryVersion>;
  readonly dot: Field<EntryVersion['dot']>;
  readonly timestamp: Field<EntryVersion['timestamp']>;
}

export function unrolledVersion({ general, dot, timestamp }: VersionParts): Field<EntryVersion> {
  return unrolled(general, {
    write: (version, to) => {
      to.list(2);
      dot.write(version.dot, to);
      timestamp.write(version.timestamp, to);
    },
    read: (from) => {
      if (from.list() !== 2) throw UNREAD;
      return { dot: dot.read(from), timestamp: timestamp.read(from) };
    },
  });
}

export function unrolledPosition(
  general: Field<ShardPosition>,
  count: Field<number>,
): Field<ShardPosition> {
  return unrolled(general, {
    write: (position, to) => {
      to.list(2);
      count.write(position.epoch, to);
      count.write(position.index, to);
    },
    read: (from) => {
      if (from.list() !== 2) throw UNREAD;
      return { epoch: count.read(from), index: count.read(from) };
    },
  });
}

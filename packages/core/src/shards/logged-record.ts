import type { LogRecord, RecordBody, ShardEpoch, SyncClass } from '@memgrid/protocol';
import { decodeValue, encodeValue, recordBodyField, writeRecordIn } from '@memgrid/protocol';
import type { StoredSibling } from './entry-view.ts';

/**
 * What a retained record takes beside its body: 300 bytes of heap for the record, its place and the
 * view of its bytes (100,000 of them on Node 24), and what their allocation wastes.
 */
const RECORD_OVERHEAD_BYTES = 400;

/** What a body takes beside its key and its state, which are nearly all of it. */
const BODY_BYTES = 64;

/** A record that this node makes, as its primary. */
export interface MadeRecord {
  readonly epoch: ShardEpoch;
  readonly index: number;
  readonly sync: SyncClass;
  readonly body: RecordBody;
  /** What it leaves under its key, if it is a write. */
  readonly winner: StoredSibling | undefined;
  /** Bytes of `body`, if they are made already. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * A record as it is kept: as its bytes, as what they say, or as both.
 *
 * Bytes are made when somebody is sent them or the disk is, and once: alone and with class `memory`
 * nobody ever is. What they say is given up when the record has taken effect, because then the table
 * has it; without bytes it is all that there is, and stays.
 */
export class LoggedRecord {
  readonly epoch: ShardEpoch;
  readonly index: number;
  readonly sync: SyncClass;
  /** What it counts towards the bound of all logs: the same for as long as it is kept. */
  readonly bytes: number;
  #record: LogRecord | undefined;
  #body: RecordBody | undefined;
  #winner: StoredSibling | undefined;
  #isSettled: boolean;

  private constructor(
    { epoch, index, sync }: Pick<LogRecord, 'epoch' | 'index' | 'sync'>,
    bytes: number,
  ) {
    this.epoch = epoch;
    this.index = index;
    this.sync = sync;
    this.bytes = bytes;
    this.#record = undefined;
    this.#body = undefined;
    this.#winner = undefined;
    this.#isSettled = false;
  }

  static made(made: MadeRecord): LoggedRecord {
    const logged = new LoggedRecord(made, RECORD_OVERHEAD_BYTES + sizeOf(made.body));
    logged.#body = made.body;
    logged.#winner = made.winner;
    const { epoch, index, sync, bytes } = made;
    if (bytes !== undefined) logged.#record = { epoch, index, sync, body: bytes };
    return logged;
  }

  /** @param body what its bytes say, unless it has taken effect already. */
  static received(record: LogRecord, body?: RecordBody): LoggedRecord {
    const logged = new LoggedRecord(record, RECORD_OVERHEAD_BYTES + record.body.byteLength);
    logged.#record = record;
    logged.#body = body;
    return logged;
  }

  /** As it travels, and as it lies on disk. */
  get record(): LogRecord {
    if (this.#record !== undefined) return this.#record;
    const { epoch, index, sync } = this;
    const body = encodeValue(recordBodyField, this.#body as RecordBody);
    this.#record = { epoch, index, sync, body };
    // From here on the bytes say it, and only one of the two is counted.
    if (this.#isSettled) this.#body = undefined;
    return this.#record;
  }

  /** What it says, as long as that is known without looking into its bytes. */
  get body(): RecordBody | undefined {
    return this.#body;
  }

  /** What a write leaves under its key, where this node made the record and so knows it. */
  get winner(): StoredSibling | undefined {
    return this.#winner;
  }

  /** What it says: read from its bytes again, if need be. */
  read(): RecordBody {
    return this.#body ?? bodyIn(this.record.body);
  }

  /** It has taken effect. */
  settle(): void {
    this.#winner = undefined;
    this.#isSettled = true;
    if (this.#record !== undefined) this.#body = undefined;
  }
}

/**
 * What the bytes of a record say. A state in it is a view of them, where they are usual.
 *
 * @throws WireError for bytes that are no record.
 */
export function bodyIn(record: Uint8Array): RecordBody {
  return writeRecordIn(record) ?? decodeValue(recordBodyField, record, 'record');
}

function sizeOf(body: RecordBody): number {
  if (body.kind !== 'write') return BODY_BYTES;
  return body.key.length + body.state.byteLength + BODY_BYTES;
}

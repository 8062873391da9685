import type { Field } from '../wire/field.ts';
import type { WireValue } from '../wire/msgpack.ts';
import { expected, inside } from '../wire/wire-error.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { WireWriter } from '../wire/wire-writer.ts';
import type { MessageFields } from './message-fields.ts';

/** The messages of one kind of connection: their numbers, and how their bodies travel. */
export class MessageTable<M extends { readonly type: string }> {
  readonly #numbers: Readonly<Record<M['type'], number>>;
  readonly #fields: MessageFields<M>;
  readonly #types: (M['type'] | undefined)[] = [];

  constructor(numbers: Readonly<Record<M['type'], number>>, fields: MessageFields<M>) {
    this.#numbers = numbers;
    this.#fields = fields;
    for (const type of Object.keys(numbers) as M['type'][]) this.#types[numbers[type]] = type;
  }

  /** @throws WireError for a message that no version has. */
  numberOf({ type }: M): number {
    if (!Object.hasOwn(this.#numbers, type)) throw expected('a known message type', type);
    return this.#numbers[type as M['type']];
  }

  /** Undefined for a message of a later version. */
  typeOf(number: number): M['type'] | undefined {
    return this.#types[number];
  }

  /** @throws WireError with the path, beginning with the message's type. */
  bodyToWire(message: M): WireValue {
    const type = message.type as M['type'];
    try {
      return (this.#fields[type] as Field<M>).toWire(message);
    } catch (error) {
      throw inside(error, type);
    }
  }

  writeBody(message: M, to: WireWriter): void {
    (this.#fields[message.type as M['type']] as Field<M>).write(message, to);
  }

  /** @throws WireError without a path. */
  readBody(type: M['type'], from: WireReader): M {
    return (this.#fields[type] as Field<M>).read(from);
  }

  /** @throws WireError with the path, beginning with the message's type. */
  bodyFromWire(type: M['type'], raw: WireValue | undefined): M {
    try {
      return (this.#fields[type] as Field<M>).fromWire(raw);
    } catch (error) {
      throw inside(error, type);
    }
  }
}

import path from 'node:path';
import { LIMITS } from '@memgrid/protocol';
import { parseAddress } from '../address.ts';

/** A value as a source gives it: a string from a flag or the environment, anything from JSON. */
export type RawValue = unknown;

/** Either a value of the right form or a sentence's second half: `must be …, not …`. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

export interface OptionType<T> {
  /** Shown in help behind the flag; undefined for a flag that takes no value. */
  readonly placeholder: string | undefined;
  readonly unit?: string;
  readonly choices?: readonly T[];
  /** Never shown again: not in logs, not in `config check`. */
  readonly secret?: boolean;
  read(raw: RawValue): Reading<T>;
}

interface AddressRules {
  readonly portZero: boolean;
  /** A word that is allowed instead of an address. */
  readonly otherwise?: string;
  /** What an empty value stands for; without it an empty value is refused. */
  readonly emptyMeans?: string;
}

export function address(rules: AddressRules): OptionType<string> {
  const word = rules.otherwise === undefined ? '' : ` or '${rules.otherwise}'`;
  return {
    placeholder: 'host:port',
    read: (raw) => {
      if (typeof raw === 'string') {
        if (raw === rules.otherwise) return { value: raw };
        if (raw === '' && rules.emptyMeans !== undefined) return { value: raw };
        if (isAddress(raw, rules.portZero)) return { value: raw };
      }
      const ports = rules.portZero ? '0 to 65535' : '1 to 65535';
      return mustBe(`host:port with a port from ${ports}${word}`, raw);
    },
  };
}

export function addressList(countMax: number): OptionType<readonly string[]> {
  return {
    placeholder: 'host:port,…',
    read: (raw) => {
      const list = typeof raw === 'string' ? splitList(raw) : raw;
      const wanted = `at most ${countMax} addresses host:port, separated by commas`;
      if (!Array.isArray(list) || list.length > countMax) return mustBe(wanted, raw);
      const bad = list.find((one) => typeof one !== 'string' || !isAddress(one, false));
      return bad === undefined ? { value: [...new Set(list as string[])] } : mustBe(wanted, bad);
    },
  };
}

interface NumberRules {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Only odd numbers, and 0 when the minimum is 0. */
  readonly odd?: boolean;
  readonly powerOfTwo?: boolean;
}

export function wholeNumber(rules: NumberRules): OptionType<number> {
  const odd = rules.odd === true ? ' odd or 0,' : '';
  const power = rules.powerOfTwo === true ? ' a power of two,' : '';
  return {
    placeholder: 'n',
    unit: rules.unit,
    read: (raw) => {
      const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
      const fits =
        typeof value === 'number' &&
        Number.isSafeInteger(value) &&
        value >= rules.min &&
        value <= rules.max &&
        (rules.odd !== true || value === 0 || value % 2 === 1) &&
        (rules.powerOfTwo !== true || Number.isInteger(Math.log2(value)));
      if (fits) return { value };
      return mustBe(`a whole number,${odd}${power} from ${rules.min} to ${rules.max}`, raw);
    },
  };
}

interface TextRules {
  readonly bytesMax: number;
  readonly pattern: RegExp;
}

export function text(rules: TextRules): OptionType<string> {
  return {
    placeholder: 'text',
    read: (raw) => {
      if (typeof raw !== 'string' || !rules.pattern.test(raw)) {
        return mustBe('letters, digits, dots, dashes, underscores and slashes', raw);
      }
      const bytes = Buffer.byteLength(raw);
      if (bytes <= rules.bytesMax) return { value: raw };
      return { problem: `must be at most ${rules.bytesMax} bytes long, not ${bytes}` };
    },
  };
}

export function choice<const Choice extends string>(
  choices: readonly Choice[],
): OptionType<Choice> {
  return {
    placeholder: choices.join('|'),
    choices,
    read: (raw) => {
      const found = choices.find((one) => one === raw);
      return found === undefined ? mustBe(`one of ${choices.join(', ')}`, raw) : { value: found };
    },
  };
}

export function flag(): OptionType<boolean> {
  return {
    placeholder: undefined,
    read: (raw) => {
      if (raw === true || raw === 'true' || raw === '1') return { value: true };
      if (raw === false || raw === 'false' || raw === '0') return { value: false };
      return mustBe('true or false', raw);
    },
  };
}

export function directory(): OptionType<string> {
  return {
    placeholder: 'directory',
    read: (raw) =>
      typeof raw === 'string' && raw !== '' && !raw.includes('\0')
        ? { value: path.resolve(raw) }
        : mustBe('the path of a directory', raw),
  };
}

export function file(): OptionType<string> {
  return {
    placeholder: 'file',
    read: (raw) => {
      if (raw === '') return { value: '' };
      return typeof raw === 'string' && !raw.includes('\0')
        ? { value: path.resolve(raw) }
        : mustBe('the path of a file', raw);
    },
  };
}

export function secret(rules: { bytesMin: number; bytesMax: number }): OptionType<string> {
  return {
    placeholder: 'secret',
    secret: true,
    read: (raw) => {
      if (raw === '') return { value: '' };
      // It travels in an HTTP header, where other characters could end the line.
      if (typeof raw !== 'string' || !/^[\x21-\x7e]+$/.test(raw)) {
        return { problem: 'must be printable ASCII without spaces' };
      }
      if (raw.length >= rules.bytesMin && raw.length <= rules.bytesMax) return { value: raw };
      const range = `${rules.bytesMin} to ${rules.bytesMax}`;
      return { problem: `must be ${range} characters long, not ${raw.length}` };
    },
  };
}

function isAddress(raw: string, portZero: boolean): boolean {
  const parsed = parseAddress(raw);
  if (parsed === undefined || raw.length > LIMITS.addressBytesMax) return false;
  return portZero || parsed.port !== 0;
}

function splitList(raw: string): string[] {
  return raw
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function mustBe(wanted: string, raw: RawValue): { problem: string } {
  return { problem: `must be ${wanted}, not ${JSON.stringify(raw) ?? 'nothing'}` };
}

import path from 'node:path';
import { readRepositoryFile } from '../tidy/repository.ts';

/**
 * The names that an entry point exports, sorted, one a line: `value connect`, `type Options`.
 *
 * Read from the source and not from a loaded module, because most of an API is types.
 */
export function exportedNames(entry: string): readonly string[] {
  const source = readRepositoryFile(entry);
  const names = [
    ...[...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, list = '']) =>
      list
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => named(item, type !== undefined)),
    ),
    ...[...source.matchAll(/^export type \* from '(.+)';/gm)].flatMap(([, from = '']) =>
      declaredTypes(path.posix.join(path.posix.dirname(entry), from)),
    ),
    ...[...source.matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)].map(
      ([, name]) => `value ${name}`,
    ),
  ];
  return [...new Set(names)].toSorted();
}

function named(item: string, isType: boolean): string {
  const name = item.replace(/^type /, '').replace(/^.+ as /, '');
  return `${isType || item.startsWith('type ') ? 'type' : 'value'} ${name}`;
}

function declaredTypes(file: string): readonly string[] {
  const source = readRepositoryFile(file);
  return [...source.matchAll(/^export (?:interface|type|class) (\w+)/gm)].map(
    ([, name]) => `type ${name}`,
  );
}

import {
  canonicalJson,
  compatibility,
  MEMORY_SCHEMA,
  parseSchema,
  schemaProblemText,
  SCHEMA_LIMITS,
  schemaJson,
  utf8Bytes,
  type EntrySchema,
  type JsonObject,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';

/** All versions of one name. */
export interface SchemaImage {
  readonly name: string;
  /** The version that writers write. */
  readonly committed: number;
  /** The defined versions in order; the built-in one is not among them. */
  readonly definitions: readonly JsonObject[];
}

export interface NamespaceSchema {
  readonly namespace: string;
  readonly schema: string;
}

/** The registry as plain data, in a canonical order. */
export interface SchemaRegistryImage {
  readonly schemas: readonly SchemaImage[];
  readonly namespaces: readonly NamespaceSchema[];
}

export const EMPTY_REGISTRY: SchemaRegistryImage = { schemas: [], namespaces: [] };

interface NamedSchema {
  committed: number;
  readonly versions: EntrySchema[];
}

/**
 * Which schemas the cluster has agreed on: a section of the control state. See DESIGN.md.
 *
 * Definitions are only ever added. All defined versions are live: entries of any of them may be
 * stored and are read; new entries are written in the committed one.
 */
export class SchemaRegistry {
  readonly #schemas = new Map<string, NamedSchema>();
  readonly #namespaces = new Map<string, string>();
  /** Of all definitions, as canonical JSON. */
  #bytes = 0;
  #image: SchemaRegistryImage | undefined;

  constructor(image: SchemaRegistryImage = EMPTY_REGISTRY) {
    this.#schemas.set(MEMORY_SCHEMA.name, { committed: 1, versions: [MEMORY_SCHEMA] });
    for (const { name, committed, definitions } of image.schemas) {
      for (const definition of definitions) this.#add(schemaFrom(definition));
      this.#named(name).committed = committed;
    }
    for (const { namespace, schema } of image.namespaces) this.#namespaces.set(namespace, schema);
  }

  /** Undefined when nobody has defined it. */
  schema(name: string, version: number): EntrySchema | undefined {
    return this.#schemas.get(name)?.versions[version - 1];
  }

  /** Nobody has defined anything: there is one version, and every entry is in it. */
  get isPlain(): boolean {
    return this.#schemas.size === 1 && this.versions(MEMORY_SCHEMA.name).length === 1;
  }

  /** The version that writers write; undefined for an unknown name. */
  committed(name: string): number | undefined {
    return this.#schemas.get(name)?.committed;
  }

  /** In order of version; empty for an unknown name. */
  versions(name: string): readonly EntrySchema[] {
    return this.#schemas.get(name)?.versions ?? [];
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.#schemas.keys()].sort();
  }

  /** The name of the schema that a namespace's entries follow. */
  schemaOf(namespace: string): string {
    return this.#namespaces.get(namespace) ?? MEMORY_SCHEMA.name;
  }

  /** Namespaces that were given a schema, in order. */
  namespaces(): readonly NamespaceSchema[] {
    return [...this.#namespaces]
      .map(([namespace, schema]) => ({ namespace, schema }))
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  /** Why this cannot be defined; undefined when it can, or is defined in exactly this form. */
  problemWithDefining(definition: JsonObject): string | undefined {
    const parsed = parseSchema(definition);
    if (parsed.kind === 'problems') return parsed.problems.map(schemaProblemText).join(' ');
    const { schema } = parsed;
    const known = this.#schemas.get(schema.name);
    if (known === undefined && this.#schemas.size >= SCHEMA_LIMITS.schemasMax) {
      return `${this.#schemas.size} schemas are defined; at most ${SCHEMA_LIMITS.schemasMax} may be.`;
    }
    const versions = known?.versions ?? [];
    const before = versions[schema.version - 1] ?? versions.at(-1);
    const judged = compatibility(before, schema);
    if (judged.kind === 'same') return undefined;
    if (judged.kind === 'conflict') return judged.reasons.join(' ');
    if (this.#bytes + bytesOf(schema) > SCHEMA_LIMITS.registryBytesMax) {
      return `All schemas together may be ${SCHEMA_LIMITS.registryBytesMax} bytes.`;
    }
    if (versions.length < SCHEMA_LIMITS.versionsMax) return undefined;
    return `${schema.name} has ${versions.length} versions; at most ${SCHEMA_LIMITS.versionsMax} may be.`;
  }

  /** @param definition one that `problemWithDefining` finds nothing wrong with. */
  define(definition: JsonObject): EntrySchema {
    const schema = schemaFrom(definition);
    if (this.schema(schema.name, schema.version) === undefined) this.#add(schema);
    return schema;
  }

  problemWithCommitting(name: string, version: number): string | undefined {
    const newest = this.#schemas.get(name)?.versions.length;
    if (newest === undefined) return `No schema "${name}" is defined.`;
    if (version >= 1 && version <= newest) return undefined;
    return `${name} version ${version} is not defined; there are versions 1 to ${newest}.`;
  }

  commit(name: string, version: number): void {
    this.#named(name).committed = version;
    this.#image = undefined;
  }

  problemWithBinding(namespace: string, schema: string): string | undefined {
    if (!this.#schemas.has(schema)) return `No schema "${schema}" is defined.`;
    const bound = this.#namespaces.get(namespace);
    if (bound === schema) return undefined;
    // Entries of the old schema would be left behind without a way to the new one.
    if (bound !== undefined)
      return `Namespace "${namespace}" follows the schema "${bound}" already.`;
    if (this.#namespaces.size < SCHEMA_LIMITS.namespacesMax) return undefined;
    const max = SCHEMA_LIMITS.namespacesMax;
    return `${this.#namespaces.size} namespaces have a schema of their own; at most ${max} may.`;
  }

  bind(namespace: string, schema: string): void {
    this.#namespaces.set(namespace, schema);
    this.#image = undefined;
  }

  /** Everything, in a canonical order: equal registries have equal images. Kept until it changes. */
  image(): SchemaRegistryImage {
    this.#image ??= this.#makeImage();
    return this.#image;
  }

  #makeImage(): SchemaRegistryImage {
    const schemas = this.names().map((name) => {
      const { committed, versions } = this.#named(name);
      const defined = versions.filter((schema) => schema !== MEMORY_SCHEMA);
      return { name, committed, definitions: defined.map(schemaJson) };
    });
    const changed = schemas.filter(
      ({ committed, definitions }) => committed !== 1 || definitions.length > 0,
    );
    return { schemas: changed, namespaces: this.namespaces() };
  }

  #add(schema: EntrySchema): void {
    this.#bytes += bytesOf(schema);
    this.#image = undefined;
    const known = this.#schemas.get(schema.name);
    if (known === undefined) {
      this.#schemas.set(schema.name, { committed: schema.version, versions: [schema] });
    } else {
      known.versions.push(schema);
    }
  }

  #named(name: string): NamedSchema {
    const named = this.#schemas.get(name);
    invariant(named !== undefined, `No schema "${name}" although it was checked.`);
    return named;
  }
}

function bytesOf(schema: EntrySchema): number {
  return utf8Bytes(canonicalJson(schemaJson(schema)));
}

function schemaFrom(definition: JsonObject): EntrySchema {
  const parsed = parseSchema(definition);
  invariant(parsed.kind === 'schema', 'A schema that was checked is none.');
  return parsed.schema;
}

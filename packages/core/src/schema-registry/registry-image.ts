import {
  jsonObjectField,
  LIMITS,
  list,
  MEMORY_SCHEMA,
  name,
  parseSchema,
  schemaProblemText,
  SCHEMA_LIMITS,
  struct,
  uint,
  checked,
  WireError,
  type Field,
} from '@memgrid/protocol';
import type { NamespaceSchema, SchemaImage, SchemaRegistryImage } from './schema-registry.ts';

const schemaName = name(1, SCHEMA_LIMITS.nameBytesMax);

const definition = checked(
  jsonObjectField(SCHEMA_LIMITS.schemaBytesMax),
  'schema',
  (value): void => {
    const parsed = parseSchema(value);
    if (parsed.kind === 'problems')
      throw new WireError(parsed.problems.map(schemaProblemText).join(' '));
  },
);

const schema = checked(
  struct<SchemaImage>({
    name: schemaName,
    committed: uint(SCHEMA_LIMITS.versionsMax),
    definitions: list(definition, SCHEMA_LIMITS.versionsMax),
  }),
  'schemas',
  ({ name, committed, definitions }) => {
    // The built-in version is not among the definitions.
    const builtIn = name === MEMORY_SCHEMA.name ? 1 : 0;
    const inOrder = definitions.every(
      (it, at) => it['name'] === name && it['version'] === at + 1 + builtIn,
    );
    if (!inOrder) throw new WireError(`expected the versions of ${name} in order, without gaps.`);
    if (committed < 1 || committed > definitions.length + builtIn) {
      throw new WireError(`expected one of the versions of ${name}, got ${committed}.`);
    }
  },
);

/** The registry in a snapshot of the control state. */
export const registryImageField: Field<SchemaRegistryImage> = struct<SchemaRegistryImage>({
  schemas: list(schema, SCHEMA_LIMITS.schemasMax),
  namespaces: list(
    struct<NamespaceSchema>({ namespace: name(1, LIMITS.namespaceBytesMax), schema: schemaName }),
    SCHEMA_LIMITS.namespacesMax,
  ),
});

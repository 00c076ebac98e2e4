import { getDocumentNodeFromSchema } from '@graphql-tools/utils';
import { Kind, print, type DefinitionNode, type GraphQLSchema } from 'graphql';

const order: readonly string[] = [
  Kind.SCHEMA_DEFINITION,
  Kind.DIRECTIVE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
];

const nameOf = (definition: DefinitionNode): string => ('name' in definition ? (definition.name?.value ?? '') : '');

/** The schema as SDL with its directives, the same text for the same schema: sorted by sort of definition and by name, fields as they are declared. */
export function printSchema(schema: GraphQLSchema): string {
  const definitions = [...getDocumentNodeFromSchema(schema).definitions].sort(
    (one, other) => order.indexOf(one.kind) - order.indexOf(other.kind) || (nameOf(one) < nameOf(other) ? -1 : 1),
  );
  return `${definitions.map(print).join('\n\n')}\n`;
}

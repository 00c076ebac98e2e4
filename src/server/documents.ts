import { createHash } from 'node:crypto';
import {
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  isInterfaceType,
  parse,
  specifiedRules,
  validate,
  type GraphQLCompositeType,
  type GraphQLField,
} from 'graphql';
import { GatewayError } from '../errors.js';

/** The largest documents and operations that are run. Each limit holds on every transport. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxFields: number;
  readonly maxCost: number;
}

/** A document that may be run: within the limits and valid. */
export interface GoodDocument {
  readonly document: DocumentNode;
  /** Names of the document's operations; several want an `operationName`. */
  readonly hash: string;
  /**
   * Objects that the operation may ask for, as far as its page sizes tell: each object counts one, times the `first` of every list above it.
   * A list without `first` counts as {@link assumedListLength}.
   */
  cost(operationName: string | undefined, variables: Readonly<Record<string, unknown>> | undefined): number;
}

/** What became of a document: it may be run, or why not. `refused` is a limit's error; `invalid` are graphql-js' own. */
export type Inspection =
  { readonly good: GoodDocument } | { readonly refused: GatewayError } | { readonly invalid: readonly GraphQLError[] };

/** How long a list without `first` is taken to be when a cost is reckoned. */
export const assumedListLength = 5;

/**
 * Parses, measures and validates documents, each once: the last thousand or so are kept. What is too large is refused before it is
 * validated, because some of graphql-js' rules take quadratic time.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #limits: DocumentLimits;
  readonly #rules: readonly ValidationRule[];
  readonly #byText = new Map<string, Inspection>();
  readonly #byHash = new Map<string, GoodDocument>();
  readonly #maxKept = 1_000;
  readonly #maxKeptLength = 20_000;

  constructor(schema: GraphQLSchema, limits: DocumentLimits, options: { readonly introspection: boolean }) {
    this.#schema = schema;
    this.#limits = limits;
    this.#rules = options.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  inspect(text: string): Inspection {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const inspection = this.#inspect(text);
    if (text.length <= this.#maxKeptLength) this.#keep(text, inspection);
    return inspection;
  }

  /** The good document whose text has this SHA-256 (hex), if it is still kept. */
  byHash(hash: string): GoodDocument | undefined {
    return this.#byHash.get(hash);
  }

  #keep(text: string, inspection: Inspection): void {
    if (this.#byText.size >= this.#maxKept) {
      const [oldest, its] = this.#byText.entries().next().value ?? [];
      if (oldest !== undefined) this.#byText.delete(oldest);
      if (its !== undefined && 'good' in its) this.#byHash.delete(its.good.hash);
    }
    this.#byText.set(text, inspection);
    if ('good' in inspection) this.#byHash.set(inspection.good.hash, inspection.good);
  }

  #inspect(text: string): Inspection {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: this.#limits.maxTokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      // graphql-js has no code for it, only this sentence.
      if (error.message.includes('tokens. Parsing aborted'))
        return { refused: tooComplex(`The document has more than ${this.#limits.maxTokens} tokens.`) };
      return { invalid: [error] };
    }
    const refused = this.#measure(document);
    if (refused !== undefined) return { refused };
    const invalid = validate(this.#schema, document, this.#rules);
    if (invalid.length > 0) return { invalid };
    const costs = new Map<string | undefined, CostOf>();
    return {
      good: {
        document,
        hash: createHash('sha256').update(text).digest('hex'),
        cost: (operationName, variables) => {
          let cost = costs.get(operationName);
          if (cost === undefined) costs.set(operationName, (cost = compileCost(this.#schema, document, operationName)));
          return cost(variables ?? {});
        },
      },
    };
  }

  /** One pass over the text's own size: a fragment is measured once, however often it is spread. */
  #measure(document: DocumentNode): GatewayError | undefined {
    const fragments = fragmentsOf(document);
    const measured = new Map<string, Measure>();
    const open = new Set<string>();
    const ofSelections = (set: SelectionSetNode): Measure => {
      const sum = { depth: 0, aliases: 0, fields: 0 };
      for (const selection of set.selections) {
        let below: Measure = nothing;
        if (selection.kind === Kind.FIELD) {
          sum.fields += 1;
          if (selection.alias !== undefined) sum.aliases += 1;
          // Introspection nests deep by nature, and costs little.
          if (selection.selectionSet !== undefined) {
            below = ofSelections(selection.selectionSet);
            if (!selection.name.value.startsWith('__')) below = { ...below, depth: below.depth + 1 };
            else below = { ...below, depth: 0 };
          } else {
            sum.depth = Math.max(sum.depth, 1);
          }
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          below = ofSelections(selection.selectionSet);
        } else {
          below = ofFragment(selection.name.value);
        }
        sum.depth = Math.max(sum.depth, below.depth);
        sum.aliases += below.aliases;
        sum.fields += below.fields;
      }
      return sum;
    };
    const ofFragment = (name: string): Measure => {
      const known = measured.get(name);
      if (known !== undefined) return known;
      const fragment = fragments.get(name);
      // An unknown fragment, or one that spreads itself: validation says so.
      if (fragment === undefined || open.has(name)) return nothing;
      open.add(name);
      const measure = ofSelections(fragment.selectionSet);
      open.delete(name);
      measured.set(name, measure);
      return measure;
    };
    for (const definition of document.definitions) {
      const measure =
        definition.kind === Kind.OPERATION_DEFINITION
          ? ofSelections(definition.selectionSet)
          : definition.kind === Kind.FRAGMENT_DEFINITION
            ? ofFragment(definition.name.value)
            : nothing;
      const { maxDepth, maxAliases, maxFields } = this.#limits;
      if (measure.depth > maxDepth) return tooComplex(`The operation is deeper than ${maxDepth} levels.`);
      if (measure.aliases > maxAliases) return tooComplex(`The operation has more than ${maxAliases} aliases.`);
      if (measure.fields > maxFields) return tooComplex(`The operation has more than ${maxFields} fields.`);
    }
    return undefined;
  }
}

interface Measure {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

const nothing: Measure = { depth: 0, aliases: 0, fields: 0 };

const tooComplex = (message: string): GatewayError => new GatewayError('QUERY_TOO_COMPLEX', message);

/** @throws GatewayError `QUERY_TOO_COMPLEX` where the operation may ask for more than the limit. */
export function checkCost(
  good: GoodDocument,
  operationName: string | undefined,
  variables: Readonly<Record<string, unknown>> | undefined,
  maxCost: number,
): number {
  const cost = good.cost(operationName, variables);
  if (cost > maxCost)
    throw tooComplex(
      `The operation may ask for ${cost.toLocaleString('en')} objects, more than ${maxCost.toLocaleString('en')}; ask for smaller pages.`,
    );
  return cost;
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );
}

export function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return operationName === undefined
    ? operations.length === 1
      ? operations[0]
      : undefined
    : operations.find((operation) => operation.name?.value === operationName);
}

type CostOf = (variables: Readonly<Record<string, unknown>>) => number;

const free: CostOf = () => 0;

/** Turns an operation into a function of its variables, so that a request reckons its cost in a few additions. */
function compileCost(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined): CostOf {
  const operation = operationOf(document, operationName);
  const root = operation === undefined ? undefined : schema.getRootType(operation.operation);
  if (operation === undefined || root == null) return free;
  const fragments = fragmentsOf(document);
  const compiled = new Map<string, CostOf>();

  const ofSelections = (type: GraphQLCompositeType, set: SelectionSetNode): CostOf => {
    const parts: CostOf[] = [];
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        if (field !== undefined) parts.push(ofField(type, field, selection));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        parts.push(ofSelections(conditionOf(selection.typeCondition?.name.value) ?? type, selection.selectionSet));
      } else {
        parts.push(ofFragment(selection.name.value));
      }
    }
    return sum(parts);
  };
  const conditionOf = (name: string | undefined): GraphQLCompositeType | undefined => {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  };
  const ofFragment = (name: string): CostOf => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    const type = conditionOf(fragment?.typeCondition.name.value);
    const cost = fragment === undefined || type === undefined ? free : ofSelections(type, fragment.selectionSet);
    compiled.set(name, cost);
    return cost;
  };
  const ofField = (parent: GraphQLCompositeType, field: GraphQLField<unknown, unknown>, node: FieldNode): CostOf => {
    const type = getNamedType(field.type);
    if (!isCompositeType(type) || node.selectionSet === undefined) return free;
    const below = ofSelections(type, node.selectionSet);
    const first = field.args.find((argument) => argument.name === 'first');
    if (first !== undefined) {
      const length = lengthOf(node, typeof first.defaultValue === 'number' ? first.defaultValue : assumedListLength);
      // The lists inside a connection are this one page.
      return (variables) => 1 + length(variables) * Math.max(below(variables), 1);
    }
    const isPageOfConnection = parent.name.endsWith('Connection');
    const length = isListType(getNullableType(field.type)) && !isPageOfConnection ? assumedListLength : 1;
    return (variables) => length * (1 + below(variables));
  };
  return ofSelections(root, operation.selectionSet);
}

function lengthOf(node: FieldNode, standard: number): CostOf {
  const value = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
  if (value === undefined) return () => standard;
  if (value.kind === Kind.INT) {
    const length = Number(value.value);
    return () => length;
  }
  if (value.kind !== Kind.VARIABLE) return () => standard;
  const name = value.name.value;
  return (variables) => {
    const given = variables[name];
    return typeof given === 'number' && given > 0 ? given : standard;
  };
}

function sum(parts: readonly CostOf[]): CostOf {
  const costly = parts.filter((part) => part !== free);
  const [only, second] = costly;
  if (only === undefined) return free;
  if (second === undefined) return only;
  return (variables) => costly.reduce((total, part) => total + part(variables), 0);
}

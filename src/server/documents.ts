import { createHash } from 'node:crypto';
import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';
import { GatewayError } from '../errors.js';
import { countTokens, fragmentsOf, measure, operationOf, tooComplex, type MeasureLimits } from './measure.js';

/** The largest documents and operations that are run. Each limit holds on every transport. */
export interface DocumentLimits extends MeasureLimits {
  readonly maxCost: number;
}

/** A document that may be run: within the limits and valid. */
export interface GoodDocument {
  readonly text: string;
  readonly document: DocumentNode;
  /** SHA-256 of the text, hexadecimal. */
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

/** Mistakes that are told of one document; to find each takes time, and to propose what may have been meant. */
const maxErrors = 20;

/** How long a list without `first` is taken to be when a cost is reckoned. */
export const assumedListLength = 5;

export interface DocumentsOptions {
  readonly introspection: boolean;
  /** Tokens of all documents that are kept, and a hundredth of their characters; each takes some 500 bytes. Default 150,000. */
  readonly maxKeptTokens?: number;
}

/**
 * Parses, measures and validates documents. Those that are good are kept, those used last, so that each is looked at once. What is too large is refused
 * before it is validated, because some of graphql-js' rules take quadratic time.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #limits: DocumentLimits;
  readonly #rules: readonly ValidationRule[];
  readonly #maxKeptTokens: number;
  /** By text, in the order of last use, oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #byHash = new Map<string, GoodDocument>();
  #keptTokens = 0;

  constructor(schema: GraphQLSchema, limits: DocumentLimits, { introspection, maxKeptTokens = 150_000 }: DocumentsOptions) {
    this.#schema = schema;
    this.#limits = limits;
    this.#rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
    this.#maxKeptTokens = maxKeptTokens;
  }

  inspect(text: string): Inspection {
    const known = this.#kept.get(text);
    if (known !== undefined) {
      this.#kept.delete(text);
      this.#kept.set(text, known);
      return known;
    }
    return this.#inspect(text);
  }

  /** The good document whose text has this SHA-256 (hexadecimal), if it is still kept. */
  byHash(hash: string): GoodDocument | undefined {
    return this.#byHash.get(hash);
  }

  #inspect(text: string): Inspection {
    let document: DocumentNode;
    let tokens: number;
    try {
      tokens = countTokens(text, this.#limits.maxTokens) + Math.ceil(text.length / 100);
      checkText(text, this.#limits.maxTokens);
      document = parse(text);
      measure(document, this.#limits);
    } catch (error) {
      if (error instanceof GatewayError) return { refused: error };
      if (error instanceof GraphQLError) return { invalid: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
      throw error;
    }
    const invalid = validate(this.#schema, document, this.#rules, { maxErrors });
    if (invalid.length > 0) return { invalid: invalid.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
    const costs = new Map<string | undefined, CostOf>();
    const good: GoodDocument = {
      text,
      document,
      hash: createHash('sha256').update(text).digest('hex'),
      cost: (operationName, variables) => {
        let cost = costs.get(operationName);
        if (cost === undefined) costs.set(operationName, (cost = compileCost(this.#schema, document, operationName)));
        return cost(variables ?? {});
      },
    };
    this.#keep({ good, tokens });
    return { good };
  }

  #keep(kept: Kept): void {
    this.#kept.set(kept.good.text, kept);
    this.#byHash.set(kept.good.hash, kept.good);
    this.#keptTokens += kept.tokens;
    for (const { good, tokens } of this.#kept.values()) {
      if (this.#keptTokens <= this.#maxKeptTokens) break;
      this.#kept.delete(good.text);
      this.#byHash.delete(good.hash);
      this.#keptTokens -= tokens;
    }
  }
}

/** Longer than what people write; without it blanks and comments, which are no tokens, would be kept, and be looked through for the place of each error. */
const maxCharactersPerToken = 16;

/** @throws GatewayError `QUERY_TOO_COMPLEX` for a text that is long, or of many lines, beside the tokens that it may have. */
function checkText(text: string, maxTokens: number): void {
  if (text.length > maxCharactersPerToken * maxTokens) {
    throw tooComplex(`The document has more than ${maxCharactersPerToken * maxTokens} characters.`);
  }
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) lines += 1;
  if (lines > maxTokens) throw tooComplex(`The document has more than ${maxTokens} lines.`);
}

/** graphql-js gives no codes; clients know Apollo's. */
function withCode({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(message, { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, extensions: { code } });
}

interface Kept {
  readonly good: GoodDocument;
  readonly tokens: number;
}

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

/**
 * The operation that is meant.
 * @throws GraphQLError `OPERATION_RESOLUTION_FAILURE`
 */
export function resolveOperation({ document }: GoodDocument, operationName: string | undefined): OperationDefinitionNode {
  const operation = operationOf(document, operationName);
  if (operation !== undefined) return operation;
  const message =
    operationName === undefined
      ? 'Must provide operation name if query contains multiple operations.'
      : `Unknown operation named "${operationName}".`;
  throw new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
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
      const length = lengthOf(node, operation, typeof first.defaultValue === 'number' ? first.defaultValue : assumedListLength);
      // The lists inside a connection are this one page.
      return (variables) => 1 + length(variables) * Math.max(below(variables), 1);
    }
    const isPageOfConnection = parent.name.endsWith('Connection');
    const length = isListType(getNullableType(field.type)) && !isPageOfConnection ? assumedListLength : 1;
    return (variables) => length * (1 + below(variables));
  };
  return ofSelections(root, operation.selectionSet);
}

/** What `first` may come to. One that is negative asks for nothing, and must not make up for others. */
function lengthOf(node: FieldNode, operation: OperationDefinitionNode, standard: number): CostOf {
  const value = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
  if (value === undefined) return () => standard;
  if (value.kind === Kind.INT) {
    const length = Math.max(Number(value.value), 0);
    return () => length;
  }
  if (value.kind !== Kind.VARIABLE) return () => standard;
  const name = value.name.value;
  const given = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
  const byDefault = given?.kind === Kind.INT ? Math.max(Number(given.value), 0) : standard;
  return (variables) => {
    const length = variables[name];
    return typeof length === 'number' ? Math.max(length, 0) : length === null ? standard : byDefault;
  };
}

function sum(parts: readonly CostOf[]): CostOf {
  const costly = parts.filter((part) => part !== free);
  const [only, second] = costly;
  if (only === undefined) return free;
  if (second === undefined) return only;
  return (variables) => costly.reduce((total, part) => total + part(variables), 0);
}

import {
  Kind,
  Lexer,
  Source,
  TokenKind,
  type DefinitionNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { GatewayError } from '../errors.js';

/** The largest documents that are parsed, validated and run. Each limit holds on every transport; fragments count wherever they are spread. */
export interface MeasureLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxFields: number;
}

/** Braces, brackets and fragments inside one another. Twice the deepest document that `maxDepth` can allow; graphql-js would run out of stack at some 1,500. */
const maxNesting = 200;

/**
 * Comparisons that validation makes to tell that fields of one name can be merged: it compares each with each, and what is below them. Beyond this it
 * keeps the loop for longer than 20 ms.
 */
const maxComparisons = 50_000;

/** Weight of what is asked of the schema itself; the introspection that tools send weighs 42. */
const maxIntrospection = 64;

const introspectionLists: ReadonlySet<string> = new Set([
  'types',
  'directives',
  'fields',
  'args',
  'inputFields',
  'interfaces',
  'enumValues',
  'possibleTypes',
]);

export const tooComplex = (message: string): GatewayError => new GatewayError('QUERY_TOO_COMPLEX', message);

/**
 * Counts a text's tokens, without recursion: what is nested too deep must not reach a parser.
 * @throws GatewayError `QUERY_TOO_COMPLEX`; GraphQLError where the text has a character that no token begins with.
 */
export function countTokens(text: string, maxTokens: number): number {
  const lexer = new Lexer(new Source(text));
  let count = 0;
  let nesting = 0;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    count += 1;
    if (count > maxTokens) throw tooComplex(`The document has more than ${maxTokens} tokens.`);
    switch (token.kind) {
      case TokenKind.BRACE_L:
      case TokenKind.BRACKET_L:
      case TokenKind.PAREN_L:
        nesting += 1;
        if (nesting > maxNesting) throw tooDeep();
        break;
      case TokenKind.BRACE_R:
      case TokenKind.BRACKET_R:
      case TokenKind.PAREN_R:
        nesting -= 1;
    }
  }
  return count;
}

/**
 * Measures every operation and fragment of a document, in one pass over its own size: a fragment is measured once, however often it is spread.
 * @throws GatewayError `QUERY_TOO_COMPLEX` at the first limit that is passed.
 */
export function measure(document: DocumentNode, limits: MeasureLimits): void {
  new Measuring(document, limits).all();
}

export interface Shape {
  /** Fields that are selected, fragments counted wherever they are spread. */
  readonly fields: number;
  /** Whether a field is selected more than once in one place, there or by way of fragments. */
  readonly repeats: boolean;
}

/** What an operation comes to once its fragments are unfolded. The document is valid. */
export function shapeOf(document: DocumentNode, operation: OperationDefinitionNode): Shape {
  const fragments = fragmentsOf(document);
  const known = new Map<string, { readonly fields: number; readonly names: ReadonlySet<string> }>();
  let repeats = false;
  const ofSet = ({ selections }: SelectionSetNode): { readonly fields: number; readonly names: ReadonlySet<string> } => {
    const names = new Set<string>();
    let fields = 0;
    for (const selection of selections) {
      const part = ofSelection(selection);
      fields += part.fields;
      for (const name of part.names) {
        repeats ||= names.has(name);
        names.add(name);
      }
    }
    return { fields, names };
  };
  const ofSelection = (selection: SelectionNode): { readonly fields: number; readonly names: ReadonlySet<string> } => {
    if (selection.kind === Kind.INLINE_FRAGMENT) return ofSet(selection.selectionSet);
    if (selection.kind === Kind.FIELD) {
      const below = selection.selectionSet === undefined ? 0 : ofSet(selection.selectionSet).fields;
      return { fields: 1 + below, names: new Set([(selection.alias ?? selection.name).value]) };
    }
    const name = selection.name.value;
    let part = known.get(name);
    if (part === undefined) {
      const fragment = fragments.get(name);
      known.set(name, (part = ofSet(fragment?.selectionSet ?? { kind: Kind.SELECTION_SET, selections: [] })));
    }
    return part;
  };
  const { fields } = ofSet(operation.selectionSet);
  return { fields, repeats };
}

const tooDeep = (): GatewayError => tooComplex(`The document is nested deeper than ${maxNesting} levels.`);

interface Measure {
  /** Selection sets inside one another. */
  readonly nesting: number;
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
  /** Lists of the schema that are walked, each four times as heavy as the one that it is in. */
  readonly lists: number;
  readonly introspection: number;
  /** What is selected under one name in this set, fragments unfolded: how often, and the most fields below. */
  readonly names: ReadonlyMap<string, { readonly count: number; readonly below: number }>;
}

const nothing: Measure = { nesting: 0, depth: 0, aliases: 0, fields: 0, lists: 0, introspection: 0, names: new Map() };

class Measuring {
  readonly #document: DocumentNode;
  readonly #limits: MeasureLimits;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #measured = new Map<string, Measure>();
  readonly #unfolding = new Set<string>();
  /** Selection sets that are being measured, each inside the one before. */
  #open = 0;
  #comparisons = 0;

  constructor(document: DocumentNode, limits: MeasureLimits) {
    this.#document = document;
    this.#limits = limits;
    this.#fragments = fragmentsOf(document);
  }

  all(): void {
    const { maxDepth } = this.#limits;
    for (const definition of this.#document.definitions) {
      if (this.of(definition).depth > maxDepth) throw tooComplex(`The operation is deeper than ${maxDepth} levels.`);
    }
  }

  of(definition: DefinitionNode): Measure {
    if (definition.kind === Kind.OPERATION_DEFINITION) return this.#ofSet(definition.selectionSet);
    return definition.kind === Kind.FRAGMENT_DEFINITION ? this.#ofFragment(definition.name.value) : nothing;
  }

  #ofFragment(name: string): Measure {
    const known = this.#measured.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    // An unknown fragment, or one that spreads itself: validation says so.
    if (fragment === undefined || this.#unfolding.has(name)) return nothing;
    this.#unfolding.add(name);
    const found = this.#ofSet(fragment.selectionSet);
    // Introspection nests deep by nature; it has a limit of its own.
    const measure = fragment.typeCondition.name.value.startsWith('__') ? { ...found, depth: 0 } : found;
    this.#unfolding.delete(name);
    this.#measured.set(name, measure);
    return measure;
  }

  #ofSet(set: SelectionSetNode): Measure {
    const names = new Map<string, { count: number; below: number }>();
    const sum = { nesting: 1, depth: 0, aliases: 0, fields: 0, lists: 0, introspection: 0, names };
    this.#open += 1;
    if (this.#open > maxNesting) throw tooDeep();
    for (const selection of set.selections) {
      const part = this.#ofSelection(selection);
      sum.nesting = Math.max(sum.nesting, part.nesting + 1);
      sum.depth = Math.max(sum.depth, part.depth);
      sum.aliases += part.aliases;
      sum.fields += part.fields;
      sum.lists += part.lists;
      sum.introspection += part.introspection;
      this.#check(sum);
      for (const [name, { count, below }] of part.names) {
        const known = names.get(name);
        if (known === undefined) {
          names.set(name, { count, below });
          continue;
        }
        known.below = Math.max(known.below, below);
        this.#comparisons += known.count * count * (1 + known.below) ** 2;
        known.count += count;
      }
      if (this.#comparisons > maxComparisons) throw tooComplex('The document selects the same fields too often; select each once.');
    }
    this.#open -= 1;
    return sum;
  }

  #ofSelection(selection: SelectionNode): Measure {
    if (selection.kind === Kind.INLINE_FRAGMENT) return this.#ofSet(selection.selectionSet);
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#ofFragment(selection.name.value);
    const name = selection.name.value;
    const below = selection.selectionSet === undefined ? nothing : this.#ofSet(selection.selectionSet);
    const isIntrospection = name === '__schema' || name === '__type';
    const lists = introspectionLists.has(name) ? 1 + 4 * below.lists : below.lists;
    return {
      nesting: below.nesting,
      depth: isIntrospection ? 1 : below.depth + 1,
      aliases: below.aliases + (selection.alias === undefined ? 0 : 1),
      fields: below.fields + 1,
      lists: isIntrospection ? 0 : lists,
      introspection: below.introspection + (isIntrospection ? 1 + lists : 0),
      names: new Map([[(selection.alias ?? selection.name).value, { count: 1, below: below.fields }]]),
    };
  }

  #check({ nesting, aliases, fields, introspection }: Measure): void {
    const { maxAliases, maxFields } = this.#limits;
    if (nesting > maxNesting) throw tooDeep();
    if (aliases > maxAliases) throw tooComplex(`The operation has more than ${maxAliases} aliases.`);
    if (fields > maxFields) throw tooComplex(`The operation has more than ${maxFields} fields.`);
    if (introspection > maxIntrospection) throw tooComplex('The operation asks for too much of the schema at once.');
  }
}

export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );
}

/** The operation of that name, or the only one. */
export function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return operationName === undefined
    ? operations.length === 1
      ? operations[0]
      : undefined
    : operations.find((operation) => operation.name?.value === operationName);
}

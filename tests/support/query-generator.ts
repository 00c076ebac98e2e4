import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { Random } from '../../src/sandbox/random.js';

export interface GeneratedQuery {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface GeneratorOptions {
  /** Levels of fields. */
  readonly maxDepth: number;
  /** Fields of one query, about. */
  readonly maxFields: number;
  /** A value for an argument or input field of this name and (named) type; undefined: one by its type. */
  readonly valueFor?: (name: string, typeName: string, random: Random) => unknown;
}

/** Makes queries of a schema that are valid but for few: fragments, conditions, aliases, variables that are given, left out or null. */
export class QueryGenerator {
  readonly #schema: GraphQLSchema;
  readonly #options: GeneratorOptions;
  readonly #random: Random;
  #fields = 0;
  #names = 0;
  #fragments: { readonly name: string; readonly type: string; readonly text: string }[] = [];
  #definitions: string[] = [];
  #variables: Record<string, unknown> = {};
  /** Whether this query has conditions: many that have are never compiled. */
  #isConditional = false;

  constructor(schema: GraphQLSchema, seed: number | string, options: GeneratorOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#random = new Random(seed);
  }

  next(): GeneratedQuery {
    this.#fields = 0;
    this.#names = 0;
    this.#fragments = [];
    this.#definitions = [];
    this.#variables = {};
    this.#isConditional = this.#chance(0.4);
    const root = this.#schema.getQueryType();
    if (root == null) throw new Error('The schema has no queries.');
    const set = this.#set(root, this.#options.maxDepth);
    const definitions = this.#definitions.length === 0 ? '' : `(${this.#definitions.join(', ')}) `;
    const fragments = this.#fragments.map(({ name, type, text }) => ` fragment ${name} on ${type} ${text}`).join('');
    return { query: `query ${definitions}${set}${fragments}`, variables: this.#variables };
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random.next() * items.length)];
    if (item === undefined) throw new Error('There is nothing to pick from.');
    return item;
  }

  #set(type: GraphQLCompositeType, depth: number): string {
    const selections: string[] = [];
    const count = 1 + Math.floor(this.#random.next() * 5);
    for (let i = 0; i < count; i++) {
      const selection = this.#selection(type, depth);
      if (selection !== undefined) selections.push(selection);
    }
    // What is repeated must be merged.
    if (selections.length > 1 && this.#chance(0.15)) selections.push(this.#pick(selections));
    return `{ ${selections.length === 0 ? '__typename' : selections.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string | undefined {
    const kind = this.#random.next();
    if (kind < 0.12) return `... ${this.#chance(0.5) ? `on ${type.name} ` : ''}${this.#condition()}${this.#set(type, depth)}`;
    if (kind < 0.24) return this.#spread(type, depth);
    if (isAbstractType(type) && kind < 0.45) {
      const narrowed = this.#narrowed(type);
      return `... on ${narrowed.name} ${this.#condition()}${this.#set(narrowed, depth)}`;
    }
    if (kind < 0.28 || !(isObjectType(type) || isInterfaceType(type))) return `${this.#chance(0.3) ? `${this.#alias()}: ` : ''}__typename`;
    return this.#field(type.getFields(), depth);
  }

  /** The type itself, or one behind it. */
  #narrowed(type: GraphQLCompositeType): GraphQLCompositeType {
    return isAbstractType(type) ? this.#pick<GraphQLCompositeType>([type, ...this.#schema.getPossibleTypes(type)]) : type;
  }

  #spread(type: GraphQLCompositeType, depth: number): string {
    const known = this.#fragments.filter((fragment) => fragment.type === type.name);
    if (known.length > 0 && this.#chance(0.5)) return `...${this.#pick(known).name} ${this.#condition()}`;
    const name = `F${(this.#names += 1)}`;
    // Its own text first: a fragment never spreads itself.
    const text = this.#set(type, depth);
    this.#fragments.push({ name, type: type.name, text });
    return `...${name} ${this.#condition()}`;
  }

  #field(fields: Readonly<Record<string, GraphQLField<unknown, unknown>>>, depth: number): string | undefined {
    const candidates = Object.values(fields).filter((field) => depth > 1 || !isCompositeType(getNamedType(field.type)));
    if (candidates.length === 0 || this.#fields >= this.#options.maxFields) return undefined;
    const field = this.#pick(candidates);
    this.#fields += 1;
    const type = getNamedType(field.type);
    const args = field.args.flatMap((argument) => this.#argument(argument));
    // Fields of one name but of other arguments cannot be merged.
    const alias = args.length > 0 || this.#chance(0.1) ? `${this.#alias()}: ` : '';
    const below = isCompositeType(type) ? ` ${this.#set(type, depth - 1)}` : '';
    return `${alias}${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`} ${this.#condition()}${below}`;
  }

  #alias(): string {
    return `a${(this.#names += 1)}`;
  }

  #condition(): string {
    if (!this.#isConditional || !this.#chance(0.2)) return '';
    const name = this.#pick(['skip', 'include']);
    return `@${name}(if: ${this.#chance(0.3) ? this.#pick(['true', 'false']) : this.#variable('Boolean!', this.#chance(0.5))}) `;
  }

  #argument(argument: GraphQLArgument): string[] {
    if (!isRequiredArgument(argument) && this.#chance(0.5)) return [];
    return [`${argument.name}: ${this.#input(argument.name, argument.type, 2)}`];
  }

  /** A literal or a variable. */
  #input(name: string, type: GraphQLInputType, depth: number): string {
    if (this.#chance(0.35)) {
      const value = this.#value(name, type, depth);
      const fate = this.#random.next();
      if (isNonNullType(type) || fate < 0.6) return this.#variable(String(type), value);
      if (fate < 0.7) return this.#variable(String(type), null);
      if (fate < 0.85) return this.#variable(String(type), undefined);
      return this.#variable(String(type), undefined, this.#literal(type, value));
    }
    const nullable = getNullableType(type);
    if (isInputObjectType(nullable) && depth > 0) {
      const fields = Object.values(nullable.getFields()).flatMap((field) =>
        isRequiredInputField(field) || this.#chance(0.4) ? [`${field.name}: ${this.#input(field.name, field.type, depth - 1)}`] : [],
      );
      return `{ ${fields.join(', ')} }`;
    }
    if (isListType(nullable) && this.#chance(0.5)) return `[${this.#input(name, nullable.ofType, depth - 1)}]`;
    return this.#literal(type, this.#value(name, type, depth));
  }

  #variable(type: string, value: unknown, standard?: string): string {
    const name = `v${(this.#names += 1)}`;
    this.#definitions.push(`$${name}: ${type}${standard === undefined ? '' : ` = ${standard}`}`);
    if (value !== undefined) this.#variables[name] = value;
    return `$${name}`;
  }

  #value(name: string, type: GraphQLInputType, depth: number): unknown {
    if (isNonNullType(type)) return this.#value(name, type.ofType, depth);
    const given = this.#options.valueFor?.(name, getNamedType(type).name, this.#random);
    if (given !== undefined) return isListType(type) ? [given] : given;
    if (isListType(type)) return [this.#value(name, type.ofType, depth)];
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      return Object.fromEntries(
        Object.values(type.getFields()).flatMap((field) =>
          isRequiredInputField(field) || (depth > 0 && this.#chance(0.4))
            ? [[field.name, this.#value(field.name, field.type, depth - 1)]]
            : [],
        ),
      );
    }
    switch (getNamedType(type).name) {
      case 'Int':
        return Math.floor(this.#random.next() * 5);
      case 'Float':
        return this.#random.next();
      case 'Boolean':
        return this.#chance(0.5);
      case 'DateTime':
        return '2026-01-02T00:00:00Z';
      default:
        return this.#pick(['a', 'b', '']);
    }
  }

  #literal(type: GraphQLInputType, value: unknown): string {
    const nullable = getNullableType(type);
    if (value === null || value === undefined) return 'null';
    if (Array.isArray(value)) {
      const inner = isListType(nullable) ? nullable.ofType : nullable;
      return `[${value.map((item) => this.#literal(inner, item)).join(', ')}]`;
    }
    if (isListType(nullable)) return this.#literal(nullable.ofType, value);
    if (isEnumType(nullable) && typeof value === 'string') return value;
    if (isInputObjectType(nullable)) {
      const fields = nullable.getFields();
      return `{ ${Object.entries(value)
        .map(([name, of]) => `${name}: ${this.#literal(fields[name]?.type ?? nullable, of)}`)
        .join(', ')} }`;
    }
    return JSON.stringify(value);
  }
}

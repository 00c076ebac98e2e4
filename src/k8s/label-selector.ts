import { GatewayError } from '../errors.js';

/** One condition of a selector. `NOT_IN` and `NOT_EXISTS` hold for an object without the label. */
export type LabelRequirement =
  | { readonly key: string; readonly operator: 'IN' | 'NOT_IN'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'EXISTS' | 'NOT_EXISTS' }
  | { readonly key: string; readonly operator: 'GREATER' | 'LESS'; readonly than: bigint };

/** Of one selector: a query should not cost more than the gateway can look up for each of many objects. */
const maxConditions = 100;
const maxValues = 1_000;

/** All must hold; none selects everything. */
export type LabelSelector = readonly LabelRequirement[];

/**
 * Kubernetes' text syntax, as `kubectl get -l` takes it: `app=web,tier in (a, b),!canary,weight>3`. Empty text selects everything. At most 100
 * conditions, with 1,000 values among them.
 * @param field Input path that an error names.
 * @throws GatewayError `BAD_USER_INPUT`.
 */
export function parseLabelSelector(text: string, field = 'filter.labelSelector'): LabelSelector {
  return new Parser(tokenize(text), field).parse();
}

/** Whether labels are as the selector wants them, for many of them: values are looked up, not searched for. */
export function labelMatcher(selector: LabelSelector): (labels: Readonly<Record<string, string>>) => boolean {
  const conditions = selector.map((requirement) => ({
    requirement,
    values: new Set('values' in requirement ? requirement.values : []),
  }));
  return (labels) =>
    conditions.every(({ requirement, values }) => {
      const { key } = requirement;
      // Own properties only: `constructor` is a good name for a label.
      return holds(requirement, values, Object.hasOwn(labels, key) ? labels[key] : undefined);
    });
}

/** @param values Those of the requirement. */
function holds(requirement: LabelRequirement, values: ReadonlySet<string>, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'IN':
      return value !== undefined && values.has(value);
    case 'NOT_IN':
      return value === undefined || !values.has(value);
    case 'EXISTS':
      return value !== undefined;
    case 'NOT_EXISTS':
      return value === undefined;
    case 'GREATER':
    case 'LESS': {
      if (value === undefined || !isInteger(value)) return false;
      const number = BigInt(value);
      return requirement.operator === 'GREATER' ? number > requirement.than : number < requirement.than;
    }
  }
}

type Token = { readonly type: 'word' | 'operator'; readonly text: string };

const tokens = /\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))/y;

function tokenize(text: string): Token[] {
  const found: Token[] = [];
  const end = text.trimEnd().length;
  tokens.lastIndex = 0;
  while (tokens.lastIndex < end) {
    const match = tokens.exec(text);
    if (match === null) break;
    found.push(match[1] === undefined ? { type: 'word', text: match[2] ?? '' } : { type: 'operator', text: match[1] });
  }
  return found;
}

const name = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
const prefix = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

function isKey(text: string): boolean {
  const slash = text.indexOf('/');
  return slash < 0 ? name.test(text) : prefix.test(text.slice(0, slash)) && name.test(text.slice(slash + 1));
}

function isValue(text: string): boolean {
  return text === '' || name.test(text);
}

/** Within 64 bits, as Kubernetes has it. */
function isInteger(text: string): boolean {
  return /^[+-]?\d{1,18}$/.test(text);
}

/** Follows the grammar of Kubernetes' own parser, its oddities included: `in`, as a key or a value, is a word; `x=` and `x in ()` want the empty value. */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #field: string;
  #position = 0;
  #valueCount = 0;

  constructor(parsed: readonly Token[], field: string) {
    this.#tokens = parsed;
    this.#field = field;
  }

  parse(): LabelSelector {
    const requirements: LabelRequirement[] = [];
    if (this.#tokens.length === 0) return requirements;
    do {
      if (requirements.length === maxConditions) throw this.#problem('A label selector has at most 100 conditions.');
      requirements.push(this.#requirement());
    } while (this.#takes(','));
    if (this.#peek() !== undefined) throw this.#unexpected('a comma');
    return requirements;
  }

  #requirement(): LabelRequirement {
    if (this.#takes('!')) return { key: this.#key(), operator: 'NOT_EXISTS' };
    const key = this.#key();
    const next = this.#peek();
    if (next === undefined || this.#is(',')) return { key, operator: 'EXISTS' };
    if (this.#takes('=') || this.#takes('==')) return { key, operator: 'IN', values: [this.#exactValue()] };
    if (this.#takes('!=')) return { key, operator: 'NOT_IN', values: [this.#exactValue()] };
    if (this.#takes('>')) return { key, operator: 'GREATER', than: this.#integer() };
    if (this.#takes('<')) return { key, operator: 'LESS', than: this.#integer() };
    if (next.type === 'word' && (next.text === 'in' || next.text === 'notin')) {
      this.#position++;
      return { key, operator: next.text === 'in' ? 'IN' : 'NOT_IN', values: this.#values() };
    }
    throw this.#unexpected('an operator');
  }

  #key(): string {
    const token = this.#peek();
    if (token?.type !== 'word') throw this.#unexpected('a label key');
    if (!isKey(token.text)) throw this.#problem('A label key in the selector is not valid.');
    this.#position++;
    return token.text;
  }

  #exactValue(): string {
    if (this.#peek() === undefined || this.#is(',')) return '';
    return this.#value();
  }

  #value(): string {
    const token = this.#peek();
    if (token?.type !== 'word') throw this.#unexpected('a label value');
    this.#valueCount += 1;
    if (this.#valueCount > maxValues) throw this.#problem('A label selector has at most 1,000 values.');
    if (!isValue(token.text)) throw this.#problem('A label value in the selector is not valid.');
    this.#position++;
    return token.text;
  }

  #integer(): bigint {
    const text = this.#value();
    if (!isInteger(text)) throw this.#problem('In a label selector, < and > compare with a whole number.');
    return BigInt(text);
  }

  #values(): readonly string[] {
    if (!this.#takes('(')) throw this.#unexpected('an opening bracket');
    const values = new Set<string>();
    do values.add(this.#is(',') || this.#is(')') ? '' : this.#value());
    while (this.#takes(','));
    if (!this.#takes(')')) throw this.#unexpected('a comma or a closing bracket');
    return [...values];
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  #is(operator: string): boolean {
    const token = this.#peek();
    return token?.type === 'operator' && token.text === operator;
  }

  #takes(operator: string): boolean {
    const taken = this.#is(operator);
    if (taken) this.#position++;
    return taken;
  }

  #unexpected(wanted: string): GatewayError {
    const position = this.#peek() === undefined ? 'at the end' : `at its part ${this.#position + 1}`;
    return this.#problem(`The label selector is not well formed: ${wanted} is expected ${position}.`);
  }

  #problem(message: string): GatewayError {
    return new GatewayError('BAD_USER_INPUT', message, { field: this.#field });
  }
}

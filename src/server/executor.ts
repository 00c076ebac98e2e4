import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  execute as executeByInterpreter,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  typeFromAST,
  visit,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { Context } from '../schema/context.js';
import { fragmentsOf, operationOf, shapeOf } from './measure.js';

/** One operation to be run. */
export interface Execution {
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly context: Context;
  /** For a subscription, the event that this answer is made of. */
  readonly rootValue?: unknown;
}

export interface ExecutorOptions {
  /** A document is compiled when it is run for the n-th time: compiling costs more than running once, so strangers' queries must not make us. Default 3. */
  readonly compileAt?: number;
  /** Operations that select more fields than this are never compiled: it would keep the loop for longer than 20 ms. Default 200. */
  readonly maxCompiledFields?: number;
  /** Compiled operations that are kept. Default 500. */
  readonly maxCompiled?: number;
  /** Fields of all that are kept, as they are compiled; each takes some 2 KB. Default 50,000. */
  readonly maxKeptFields?: number;
  /** Told of each run. */
  readonly onRun?: (engine: 'compiled' | 'interpreted') => void;
}

/**
 * Runs operations: by compiled code once a document has proven to come back, else by graphql-js. Both give the same `data`, and the same errors but for those
 * below a path that is null already.
 */
export class Executor {
  readonly #schema: GraphQLSchema;
  readonly #compileAt: number;
  readonly #maxCompiledFields: number;
  readonly #maxCompiled: number;
  readonly #maxKeptFields: number;
  readonly #onRun: ((engine: 'compiled' | 'interpreted') => void) | undefined;
  readonly #plans = new WeakMap<DocumentNode, Map<string | undefined, Plan>>();
  /** In the order of last use, oldest first. */
  readonly #compiled = new Set<Plan>();
  readonly #answered = new Set<Plan>();
  #keptFields = 0;

  constructor(schema: GraphQLSchema, options: ExecutorOptions = {}) {
    this.#schema = schema;
    this.#compileAt = options.compileAt ?? 3;
    this.#maxCompiledFields = options.maxCompiledFields ?? 200;
    this.#maxCompiled = options.maxCompiled ?? 500;
    this.#maxKeptFields = options.maxKeptFields ?? 50_000;
    this.#onRun = options.onRun;
  }

  /** Compiled operations that are kept now. */
  get compiledCount(): number {
    return this.#compiled.size;
  }

  run(execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    const plan = this.#planOf(execution.document, execution.operationName);
    const query = this.#compiledOf(plan, execution);
    if (query === undefined) return plan.answer ?? this.#interpretFirst(plan, execution);
    this.#onRun?.('compiled');
    try {
      const result = query(execution.rootValue, execution.context, execution.variables);
      return result instanceof Promise
        ? result.then((found) => this.#checked(found, execution)).catch(() => this.#interpret(execution))
        : this.#checked(result, execution);
    } catch {
      // Compiled code has no guard where graphql-js has one (a getter that throws). Queries only read, so running one again is safe.
      return this.#interpret(execution);
    }
  }

  /** What is asked of the schema alone has one answer for everybody, and takes longer than anything else: it is kept. */
  #interpretFirst(plan: Plan, execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    this.#onRun?.('interpreted');
    const result = this.#interpret(execution);
    if (result instanceof Promise || result.errors !== undefined || !isOfSchemaAlone(execution)) return result;
    plan.answer = result;
    this.#answered.add(plan);
    if (this.#answered.size > maxAnswers) {
      const [oldest] = this.#answered;
      if (oldest !== undefined) {
        this.#answered.delete(oldest);
        oldest.answer = undefined;
      }
    }
    return result;
  }

  #planOf(document: DocumentNode, operationName: string | undefined): Plan {
    let plans = this.#plans.get(document);
    if (plans === undefined) this.#plans.set(document, (plans = new Map<string | undefined, Plan>()));
    let plan = plans.get(operationName);
    if (plan === undefined) plans.set(operationName, (plan = { runs: 0, fitness: undefined, query: undefined, answer: undefined }));
    return plan;
  }

  #compiledOf(plan: Plan, { document, operationName, variables }: Execution): CompiledQuery['query'] | undefined {
    plan.runs += 1;
    if (plan.query === undefined) {
      if (plan.runs < this.#compileAt) return undefined;
      plan.fitness ??= fitnessOf(this.#schema, document, operationOf(document, operationName), this.#maxCompiledFields);
      if (plan.fitness === 'unfit') return undefined;
      const compiled = compileQuery(this.#schema, document, operationName, { disablingCapturingStackErrors: true });
      if (!isCompiledQuery(compiled)) {
        plan.fitness = 'unfit';
        return undefined;
      }
      plan.query = compiled.query;
      this.#keptFields += plan.fitness.fields;
    }
    this.#compiled.delete(plan);
    this.#compiled.add(plan);
    for (const oldest of this.#compiled) {
      if (oldest === plan || (this.#compiled.size <= this.#maxCompiled && this.#keptFields <= this.#maxKeptFields)) break;
      this.#compiled.delete(oldest);
      this.#keptFields -= (oldest.fitness as Fitness).fields;
      oldest.query = undefined;
      oldest.runs = 0;
    }
    return (plan.fitness as Fitness).variables.every((name) => variables?.[name] !== undefined) ? plan.query : undefined;
  }

  #checked(result: ExecutionResult, execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    if (result.errors === undefined) return result;
    // Without `data` the variables were refused, before any resolver ran: graphql-js words that as clients know it.
    if (!('data' in result)) return this.#interpret(execution);
    return { ...result, errors: result.errors.map(realError) };
  }

  #interpret({ document, operationName, variables, context, rootValue }: Execution): ExecutionResult | Promise<ExecutionResult> {
    return executeByInterpreter({
      schema: this.#schema,
      document,
      contextValue: context,
      rootValue,
      ...(operationName === undefined ? {} : { operationName }),
      ...(variables === undefined ? {} : { variableValues: variables }),
    });
  }
}

interface Fitness {
  /** Without these the compiled form would answer otherwise. */
  readonly variables: readonly string[];
  /** As they are compiled. */
  readonly fields: number;
}

interface Plan {
  runs: number;
  /** Of one that has a `query` never `unfit`, which says that the operation must not be compiled at all. */
  fitness: Fitness | 'unfit' | undefined;
  query: CompiledQuery['query'] | undefined;
  answer: ExecutionResult | undefined;
}

/** Answers about the schema that are kept; each takes a megabyte or two. */
const maxAnswers = 4;

function isOfSchemaAlone({ document, operationName }: Execution): boolean {
  const operation = operationOf(document, operationName);
  return (
    operation?.operation === OperationTypeNode.QUERY &&
    (operation.variableDefinitions ?? []).length === 0 &&
    operation.selectionSet.selections.every(
      (selection) => selection.kind === Kind.FIELD && (selection.name.value === '__schema' || selection.name.value === '__type'),
    )
  );
}

/** Compiled code makes errors of its own class, without `extensions`, which Apollo would take for bugs. */
function realError(error: GraphQLError): GraphQLError {
  const original = error.originalError;
  const real = new GraphQLError(error.message, {
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(original == null ? {} : { originalError: original }),
    ...(original instanceof GraphQLError ? { extensions: original.extensions } : {}),
  });
  if (error.locations !== undefined) Object.defineProperty(real, 'locations', { value: error.locations, enumerable: true });
  return real;
}

/**
 * graphql-jit answers otherwise than graphql-js for mutations (it goes on after a failed one); for fields that are selected more than once under different
 * conditions (it loses some, or shows what is to be skipped), and for a fragment that is spread at several places (a condition of one holds at all);
 * for what is called `__proto__` (it loses it); and for a variable inside an input object that is not given (it passes null instead of leaving it out).
 * Introspection is costlier to compile than to run, and a variable whose input type holds itself would be compiled for ever.
 */
function fitnessOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode | undefined,
  maxFields: number,
): Fitness | 'unfit' {
  if (operation === undefined || operation.operation === OperationTypeNode.MUTATION) return 'unfit';
  const { fields: written, repeats } = shapeOf(document, operation);
  if (written > maxFields) return 'unfit';
  const fields = compiledFieldsOf(schema, document, operation);
  if (fields > maxUnfolded * maxFields) return 'unfit';
  if (operation.variableDefinitions?.some(({ type }) => holdsItself(typeFromAST(schema, type))) === true) return 'unfit';
  let hasCondition = false;
  let isIntrospection = false;
  let namesPrototype = false;
  let isSpreadTwice = false;
  const spreads = new Set<string>();
  const inside = new Set<string>();
  visit(document, {
    Name({ value }) {
      if (value === '__proto__') namesPrototype = true;
    },
    Directive() {
      hasCondition = true;
    },
    FragmentSpread({ name }) {
      isSpreadTwice ||= spreads.has(name.value);
      spreads.add(name.value);
    },
    Field(node) {
      if (node.name.value === '__schema' || node.name.value === '__type') isIntrospection = true;
    },
    Variable(node, _key, _parent, _path, ancestors) {
      const isNested = ancestors.some(
        (ancestor) => !Array.isArray(ancestor) && 'kind' in ancestor && (ancestor.kind === Kind.OBJECT || ancestor.kind === Kind.LIST),
      );
      if (isNested) inside.add(node.name.value);
    },
  });
  if (isIntrospection || namesPrototype || (hasCondition && (repeats || isSpreadTwice))) return 'unfit';
  for (const definition of operation.variableDefinitions ?? []) {
    if (definition.defaultValue !== undefined) inside.delete(definition.variable.name.value);
  }
  return { variables: [...inside], fields };
}

/** Of what is behind interfaces each type is compiled by itself: nested, that multiplies. So many times the fields that are written is still compiled in a moment. */
const maxUnfolded = 3;

/** Fields of an operation as graphql-jit compiles them: what is selected of an interface or union counts once for each of its types, at every level. */
function compiledFieldsOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): number {
  const fragments = fragmentsOf(document);
  const unfolded = (set: SelectionSetNode, type: GraphQLNamedType | undefined): number =>
    sumOf(set, type) * (isAbstractType(type) ? schema.getPossibleTypes(type).length : 1);
  const sumOf = ({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined): number => {
    let sum = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        sum += 1;
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        if (selection.selectionSet !== undefined) sum += unfolded(selection.selectionSet, getNamedType(field?.type));
      } else {
        const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
        const condition = inner?.typeCondition;
        if (inner !== undefined) sum += sumOf(inner.selectionSet, condition === undefined ? type : schema.getType(condition.name.value));
      }
    }
    return sum;
  };
  return unfolded(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
}

/** Whether an input type is reached from itself, or from one of its fields. */
function holdsItself(type: GraphQLType | undefined, open: ReadonlySet<GraphQLInputObjectType> = new Set()): boolean {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return false;
  if (open.has(named)) return true;
  return Object.values(named.getFields()).some((field) => holdsItself(field.type, new Set([...open, named])));
}

import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { permissionOf, viewFunctionOfType, type Asked } from './oracle.js';

/** An object of the world that ids and names lead to. */
export interface Target {
  /** Type of the graph. */
  readonly type: string;
  /** What `resource` wants; undefined for what is no object of Kubernetes. */
  readonly kind: string | undefined;
  readonly cluster: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly id: string;
}

/** One document of the suite: a way to objects of one type, and there every governed field of it in every shape. */
export interface Probe {
  readonly type: string;
  readonly root: 'Query' | 'Subscription';
  /** For people: `pods.namespace`. */
  readonly way: string;
  readonly asked: readonly Asked[];
}

type Field = GraphQLField<unknown, unknown>;

const pageSize = 30;

/** Arguments for fields that cannot do without, by coordinate. `undefined`: there is a rule of its own below. */
export function requiredArguments(targets: readonly Target[]): Readonly<Record<string, readonly string[]>> {
  const text = (value: string): string => JSON.stringify(value);
  const of = (type: string): readonly Target[] => targets.filter((target) => target.type === type);
  const workloads = targets.filter(({ type }) => ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'].includes(type));
  return {
    'Query.cluster': ['name: "east"', 'name: "west"', 'name: "none"'],
    'Query.project': ['p-a', 'p-b', 'p-none'].map((id) => `id: ${text(id)}`),
    'Query.namespace': [
      ...of('Namespace').map(({ cluster, name }) => `cluster: ${text(cluster)}, name: ${text(name)}`),
      'cluster: "east", name: "none"',
      'cluster: "none", name: "a1"',
    ],
    'Query.workload': [...workloads.map(({ id }) => `id: ${text(id)}`), 'id: "none"', ...of('Pod').map(({ id }) => `id: ${text(id)}`)],
    'Query.pod': [
      ...of('Pod').map(
        ({ cluster, namespace, name }) => `cluster: ${text(cluster)}, namespace: ${text(namespace ?? '')}, name: ${text(name)}`,
      ),
      'cluster: "east", namespace: "a1", name: "none"',
      'cluster: "east", namespace: "b1", name: "none"',
    ],
    'Cluster.node': ['name: "node-1"', 'name: "none"'],
    'Cluster.namespace': ['name: "a1"', 'name: "b1"', 'name: "free"', 'name: "none"'],
    'Subscription.nodeChanges': ['cluster: "east"'],
  };
}

/** What identifies an object in an answer, as far as its type has it. */
const identifying = ['id', 'name', 'clusterName', 'namespaceName'];

export class Probes {
  readonly #schema: GraphQLSchema;
  readonly #arguments: Readonly<Record<string, readonly string[]>>;
  readonly #targets: readonly Target[];

  constructor(schema: GraphQLSchema, targets: readonly Target[]) {
    this.#schema = schema;
    this.#targets = targets;
    this.#arguments = requiredArguments(targets);
  }

  /** Every field of an object type that a function governs. */
  governedCoordinates(): string[] {
    return this.#objectTypes().flatMap((type) =>
      Object.values<Field>(type.getFields())
        .filter((field) => permissionOf(field) !== undefined)
        .map(({ name }) => `${type.name}.${name}`),
    );
  }

  /** Types to whose objects there is a way, and that have governed fields. */
  types(): string[] {
    return this.#objectTypes()
      .filter((type) => !this.#isRoot(type) && this.#governedFieldsOf(type).length > 0 && isNodeType(type))
      .map(({ name }) => name);
  }

  /** The root fields themselves, each in the shapes that a root field has. */
  ofRoots(): Probe[] {
    const fields = this.#fieldsOf('Query').filter((field) => permissionOf(field) !== undefined || this.#leadsToNode(field.type));
    return fields.flatMap((field) =>
      this.#argumentsOf('Query', field).map((args, index) => {
        const inner = (key: string, isInFragment: boolean): Asked => this.#ask(field, key, args, { isInFragment });
        return {
          type: 'Query',
          root: 'Query' as const,
          way: `${field.name}${index === 0 ? '' : `(${args})`}`,
          asked: [inner(field.name, false), inner('alias', false), inner('inFragment', true)],
        };
      }),
    );
  }

  /** By every root field, and by every field of another type, that leads to objects of the type. */
  waysTo(typeName: string): Probe[] {
    const type = this.#schema.getType(typeName);
    if (!isObjectType(type)) throw new Error(`${typeName} is no type of objects.`);
    return [...this.#byRoot(type), ...this.#byRelation(type), ...this.#byId(type), ...this.#byName(type)];
  }

  /** The subscriptions whose changes carry objects, with everything governed of those. */
  ofChanges(): Probe[] {
    return this.#fieldsOf('Subscription').flatMap((field) => {
      const change = getNamedType(field.type);
      if (!isObjectType(change) || !change.name.endsWith('Change')) return [];
      return Object.values<Field>(change.getFields()).flatMap((carried) => {
        const carriedType = getNamedType(carried.type);
        if (!isObjectType(carriedType) || !isNodeType(carriedType)) return [];
        const inChange: Asked = this.#ask(carried, carried.name, '', { inner: this.#everyShape(carriedType, carriedType) });
        const aliased: Asked = this.#ask(carried, 'alias', '', { on: change.name });
        const type: Asked = { key: 'type', name: 'type', args: '', on: undefined, isInFragment: false, via: [], inner: [] };
        return this.#argumentsOf('Subscription', field).map((args) => ({
          type: change.name,
          root: 'Subscription' as const,
          way: field.name,
          asked: [this.#ask(field, field.name, args, { inner: [type, inChange, aliased] })],
        }));
      });
    });
  }

  /** The document of a probe. */
  print({ root, asked }: Probe): string {
    const fragments: string[] = [];
    const body = this.#printAll(asked, root, fragments);
    return [`${root === 'Query' ? 'query' : 'subscription'} { ${body} }`, ...fragments].join('\n');
  }

  // ── ways

  #byRoot(type: GraphQLObjectType): Probe[] {
    return this.#fieldsOf('Query')
      .filter((field) => !isById(field) && this.#leadsTo(field.type, type))
      .flatMap((field) =>
        this.#argumentsOf('Query', field).flatMap((args, index) =>
          this.#viasOf(field).map((via) => ({
            type: type.name,
            root: 'Query' as const,
            way: `${field.name}${index === 0 ? '' : `(${args})`} by ${via}`,
            asked: [this.#ask(field, field.name, args, { inner: this.#everyShape(type, this.#itemOf(field.type)), via: [via] })],
          })),
        ),
      );
  }

  /** One step from another type's objects, which a root field leads to. */
  #byRelation(type: GraphQLObjectType): Probe[] {
    return this.#objectTypes().flatMap((from) => {
      if (this.#isRoot(from)) return [];
      const first = this.#fieldsOf('Query').find(
        (field) => !isById(field) && !this.#needsArguments('Query', field) && this.#leadsTo(field.type, from),
      );
      if (first === undefined) return [];
      return Object.values<Field>(from.getFields())
        .filter((field) => this.#leadsTo(field.type, type))
        .flatMap((field) =>
          this.#argumentsOf(from.name, field).map((args, index) => {
            const relation = this.#ask(field, field.name, args, {
              inner: this.#everyShape(type, this.#itemOf(field.type)),
              via: [this.#viasOf(field)[index % 2] ?? 'nodes'],
              on: from.name,
            });
            const [firstArgs = ''] = this.#argumentsOf('Query', first);
            return {
              type: type.name,
              root: 'Query' as const,
              way: `${first.name} … on ${from.name} ${field.name}${index === 0 ? '' : `(${args})`}`,
              asked: [this.#ask(first, first.name, firstArgs, { inner: [relation], via: ['nodes'] })],
            };
          }),
        );
    });
  }

  /** By the field that takes an id: of every object of the type, and of what is gone. */
  #byId(type: GraphQLObjectType): Probe[] {
    const field = this.#fieldsOf('Query').find(isById);
    if (field === undefined) return [];
    return this.#targets
      .filter((target) => target.type === type.name)
      .map((target) => ({
        type: type.name,
        root: 'Query' as const,
        way: `${field.name}(id of ${target.cluster}/${target.namespace ?? ''}/${target.name})`,
        asked: [
          this.#ask(field, field.name, `id: ${JSON.stringify(target.id)}`, {
            inner: this.#everyShape(type, this.#itemOf(field.type)),
            ...(type.name === 'Project' ? {} : { viewedType: type.name }),
          }),
        ],
      }));
  }

  /** By the field that takes Kubernetes' names: of every object of the type, and of none. */
  #byName(type: GraphQLObjectType): Probe[] {
    const field = this.#fieldsOf('Query').find(({ name }) => name === 'resource');
    const found = this.#targets.filter((target) => target.type === type.name && target.kind !== undefined);
    const [any] = found;
    if (field === undefined || any === undefined) return [];
    return [...found, { ...any, name: 'none' }].map(({ cluster, kind, namespace, name }) => ({
      type: type.name,
      root: 'Query' as const,
      way: `${field.name}(${cluster}/${namespace ?? ''}/${name})`,
      asked: [
        this.#ask(
          field,
          field.name,
          `cluster: "${cluster}", kind: ${kind}, ${namespace === undefined ? '' : `namespace: "${namespace}", `}name: "${name}"`,
          { inner: this.#everyShape(type, this.#itemOf(field.type)), viewedType: type.name },
        ),
      ],
    }));
  }

  // ── shapes

  /**
   * Every governed field of the type: by its name, renamed, inside a fragment with a name and one without, and through each interface that has it.
   * @param from The type that the way leads to: the type itself, or an interface of it.
   */
  #everyShape(type: GraphQLObjectType, from: GraphQLNamedType): Asked[] {
    return this.#governedFieldsOf(type).flatMap((field) => {
      const interfaces = type.getInterfaces().filter((one) => one.getFields()[field.name] !== undefined);
      const isPlain = from === type || interfaces.some((one) => one === from);
      return this.#argumentsOf(type.name, field).flatMap((args, index) => {
        const key = index === 0 ? field.name : `${field.name}${index}`;
        return [
          ...(isPlain ? [this.#ask(field, key, args, {}), this.#ask(field, `${key}Alias`, args, {})] : []),
          this.#ask(field, `${key}Inline`, args, { on: type.name }),
          this.#ask(field, `${key}Named`, args, { on: type.name, isInFragment: true }),
          ...interfaces.map((one) => this.#ask(field, `${key}${one.name}`, args, { on: one.name })),
        ];
      });
    });
  }

  #ask(
    field: Field,
    key: string,
    args: string,
    options: {
      on?: string;
      isInFragment?: boolean;
      inner?: readonly Asked[];
      via?: readonly ('nodes' | 'edges')[];
      viewedType?: string;
    },
  ): Asked {
    return {
      key,
      name: field.name,
      args,
      on: options.on,
      isInFragment: options.isInFragment ?? false,
      via: options.via ?? this.#viasOf(field),
      inner: options.inner ?? [],
      ...(options.viewedType === undefined ? {} : { viewFunction: viewFunctionOfType(options.viewedType) }),
    };
  }

  // ── the schema

  #objectTypes(): GraphQLObjectType[] {
    return Object.values(this.#schema.getTypeMap()).filter(
      (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
    );
  }

  #isRoot(type: GraphQLNamedType): boolean {
    return [this.#schema.getQueryType(), this.#schema.getMutationType(), this.#schema.getSubscriptionType()].some((root) => root === type);
  }

  #fieldsOf(root: 'Query' | 'Subscription'): Field[] {
    const type = root === 'Query' ? this.#schema.getQueryType() : this.#schema.getSubscriptionType();
    return Object.values<Field>(type?.getFields() ?? {});
  }

  #governedFieldsOf(type: GraphQLObjectType): Field[] {
    return Object.values<Field>(type.getFields()).filter((field) => permissionOf(field) !== undefined);
  }

  #needsArguments(type: string, field: Field): boolean {
    return this.#arguments[`${type}.${field.name}`] !== undefined || field.args.some(isRequiredArgument);
  }

  /** @throws Error for a field that needs arguments which are not written down here: no field is left out in silence. */
  #argumentsOf(type: string, field: Field): readonly string[] {
    const known = this.#arguments[`${type}.${field.name}`];
    if (known !== undefined) return known;
    const missing = field.args.filter(isRequiredArgument);
    if (type === 'Query' && (isById(field) || field.name === 'resource')) return [];
    if (missing.length > 0) throw new Error(`${type}.${field.name} needs arguments: write some down in requiredArguments.`);
    return [field.args.some(({ name }) => name === 'first') ? `first: ${pageSize}` : ''];
  }

  #viasOf(field: Field): readonly ('nodes' | 'edges')[] {
    const type = getNamedType(field.type);
    if (!isObjectType(type) || !isConnection(type)) return ['nodes'];
    return ['nodes', 'edges'];
  }

  /** What a field's objects are: its own type, or that of a connection's items. */
  #itemOf(output: GraphQLOutputType): GraphQLNamedType {
    const type = getNamedType(output);
    return isObjectType(type) && isConnection(type) ? getNamedType(type.getFields()['nodes']!.type) : type;
  }

  #leadsTo(output: GraphQLOutputType, type: GraphQLObjectType): boolean {
    const item = this.#itemOf(output);
    return item === type || (isInterfaceType(item) && this.#schema.isSubType(item, type));
  }

  #leadsToNode(output: GraphQLOutputType): boolean {
    const item = this.#itemOf(output);
    return (isObjectType(item) || isInterfaceType(item)) && isNodeType(item);
  }

  // ── text

  #printAll(asked: readonly Asked[], owner: string, fragments: string[]): string {
    return asked.map((one) => this.#printOne(one, owner, fragments)).join(' ');
  }

  #printOne(asked: Asked, owner: string, fragments: string[]): string {
    const type = asked.on ?? owner;
    const field = this.#fieldNamed(type, asked.name);
    const renamed = asked.key === asked.name ? asked.name : `${asked.key}: ${asked.name}`;
    const text = `${renamed}${asked.args === '' ? '' : `(${asked.args})`}${this.#printSelection(field, asked, fragments)}`;
    if (asked.isInFragment) {
      const name = `F${fragments.length}`;
      fragments.push(`fragment ${name} on ${type} { ${text} }`);
      return `...${name}`;
    }
    return asked.on === undefined ? text : `... on ${asked.on} { ${text} }`;
  }

  #printSelection(field: Field, asked: Asked, fragments: string[]): string {
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return '';
    const item = this.#itemOf(field.type);
    const inner = `${this.#identifying(item)} ${this.#printAll(asked.inner, item.name, fragments)}`.trim();
    if (item === type) return ` { ${inner} }`;
    const parts = asked.via.map((via) => (via === 'nodes' ? `nodes { ${inner} }` : `edges { node { ${inner} } }`));
    return ` { totalCount ${parts.join(' ')} }`;
  }

  #identifying(type: GraphQLNamedType): string {
    const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
    const own = identifying.filter((name) => fields[name] !== undefined);
    // What an interface lacks, the objects behind it are asked for: where they are decides everything.
    const behind =
      isInterfaceType(type) && fields['namespaceName'] === undefined
        ? ['Resource', 'NamespacedResource', 'Namespace']
            .filter((name) => this.#schema.getType(name) !== undefined && name !== type.name)
            .map((name) => `... on ${name} { ${name === 'NamespacedResource' ? 'namespaceName clusterName' : 'clusterName name'} }`)
        : [];
    return ['__typename', ...own, ...behind].join(' ');
  }

  #fieldNamed(type: string, name: string): Field {
    const owner = this.#schema.getType(type);
    const field = isObjectType(owner) || isInterfaceType(owner) ? owner.getFields()[name] : undefined;
    if (field === undefined) throw new Error(`${type}.${name} does not exist.`);
    return field;
  }
}

const isById = (field: Field): boolean => field.name === 'node' && getNamedType(field.type).name === 'Node';

const isConnection = (type: GraphQLObjectType): boolean =>
  type.getFields()['pageInfo'] !== undefined && type.getFields()['nodes'] !== undefined;

const isNodeType = (type: GraphQLObjectType | GraphQLInterfaceType): boolean =>
  type.name === 'Node' || type.getInterfaces().some(({ name }) => name === 'Node');

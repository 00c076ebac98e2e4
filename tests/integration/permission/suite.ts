import { buildASTSchema, Kind, parse, visit, type DocumentNode, type FieldDefinitionNode, type GraphQLSchema } from 'graphql';
import { buildGatewaySchema } from '../../../src/resolvers/schema.js';
import { checkGovernance } from '../../../src/schema/permission.js';
import { printSchema } from '../../../src/schema/print.js';
import { describeLeaks } from './leaks.js';
import { Oracle, type Value } from './oracle.js';
import { Probes, type Probe, type Target } from './queries.js';
import { worldObjects, worldProjects, worldUsers, type Answer, type Ask, type OpenAsk } from './world.js';

/** The schema as a client could print it: the tests know no more of it than that. */
const document = parse(printSchema(buildGatewaySchema()));
const schema = schemaOf(document);

function schemaOf(definitions: DocumentNode): GraphQLSchema {
  return buildASTSchema(definitions);
}

/** Types of the graph by Kubernetes' kinds. */
const typeOfKind = (kind: string): string => (kind === 'Node' ? 'ClusterNode' : kind);
const resourceKindOf = (kind: string): string => kind.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase();

/** The ids of everything in the world, as a cloud administrator is told them. */
async function targetsOf(ask: Ask): Promise<Target[]> {
  const targets: Target[] = worldProjects.map(({ id, name }) => ({
    type: 'Project',
    kind: undefined,
    cluster: '',
    namespace: undefined,
    name,
    id,
  }));
  const clusters = dataOf(await ask.query('cloud-admin', '{ clusters { id name } }'))['clusters'] as readonly {
    id: string;
    name: string;
  }[];
  for (const { id, name } of clusters) targets.push({ type: 'Cluster', kind: undefined, cluster: name, namespace: undefined, name, id });
  for (const [cluster, objects] of Object.entries(worldObjects())) {
    for (const { kind, metadata } of objects) {
      if (schema.getType(typeOfKind(kind)) === undefined) continue;
      const { name, namespace } = metadata;
      const answer = await ask.query(
        'cloud-admin',
        `query ($cluster: String!, $kind: ResourceKind!, $namespace: String, $name: String!) {
          resource(cluster: $cluster, kind: $kind, namespace: $namespace, name: $name) { id }
        }`,
        { cluster, kind: resourceKindOf(kind), namespace, name },
      );
      const found = dataOf(answer)['resource'] as { id: string } | null;
      if (found === null) throw new Error(`${kind} ${namespace ?? ''}/${name} is not there.`);
      targets.push({ type: typeOfKind(kind), kind: resourceKindOf(kind), cluster, namespace, name, id: found.id });
    }
  }
  return targets;
}

function dataOf({ data, errors }: Answer): Value {
  if (errors !== undefined || data == null) throw new Error(`A cloud administrator was refused: ${JSON.stringify(errors)}`);
  return data;
}

function outcomesOf({ errors = [] }: Answer): string[] {
  return errors.map(({ path, extensions }) => `${path?.join('.') ?? ''} ${String(extensions?.['code'])}`).sort();
}

/** Everything until the first `SYNCED`, or until it ends. */
async function snapshotOf(stream: AsyncGenerator<Answer, void, undefined>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const answer of stream) {
    answers.push(answer);
    const [change] = Object.values(answer.data ?? {}) as ({ type?: string } | null)[];
    if (change == null || change.type === 'SYNCED') break;
  }
  return answers;
}

/**
 * The permission tests of one transport. They are made from the schema: every field that a function governs, for every viewer, on every way that leads there.
 * A field that is new joins by itself.
 * @param open A gateway that serves the world, anew at each call.
 */
export function describePermission(name: string, open: OpenAsk): void {
  describe(`permission by ${name}`, () => {
    const decisions = new Map<string, { allowed: number; refused: number }>();
    let ask: Ask;
    let probes: Probes;

    beforeAll(async () => {
      ask = await open();
      probes = new Probes(schema, await targetsOf(ask));
    });
    afterAll(() => ask.close());

    function oracleOf(viewer: string): Oracle {
      return new Oracle(schema, viewer, (coordinate, isAllowed) => {
        const count = decisions.get(coordinate) ?? { allowed: 0, refused: 0 };
        count[isAllowed ? 'allowed' : 'refused'] += 1;
        decisions.set(coordinate, count);
      });
    }

    /** Asks as everybody, and compares with what a cloud administrator is answered, cut down. */
    async function check(probe: Probe): Promise<void> {
      const text = probes.print(probe);
      const whole = dataOf(await ask.query('cloud-admin', text));
      for (const { id: viewer } of worldUsers) {
        const answer = await ask.query(viewer, text);
        const expected = oracleOf(viewer).expect('Query', probe.asked, whole);
        const where = { viewer, way: probe.way };
        expect({ ...where, errors: outcomesOf(answer), data: answer.data }).toEqual({ ...where, ...expected });
      }
    }

    it('answers and refuses root fields, renamed and in fragments too', async () => {
      const all = probes.ofRoots();
      expect(all.length).toBeGreaterThan(10);
      for (const probe of all) await check(probe);
    });

    const typesWithWays = new Probes(schema, []).types();
    it.each(typesWithWays)('decides every governed field of %s on every way that leads there', async (type) => {
      const all = probes.waysTo(type);
      expect(all.length).toBeGreaterThan(0);
      for (const probe of all) await check(probe);
    });

    it('streams to each viewer the changes of what they may see, each field decided', async () => {
      const all = probes.ofChanges();
      expect(all.map(({ way }) => way)).toEqual(expect.arrayContaining(['podChanges', 'nodeChanges']));
      for (const probe of all) {
        const text = probes.print(probe);
        const whole = (await snapshotOf(ask.subscribe('cloud-admin', text))).map(dataOf);
        expect(whole.length).toBeGreaterThan(1);
        const [root] = probe.asked;
        const carried = root?.inner.find(({ name: field }) => field !== 'type')?.key ?? '';
        for (const { id: viewer } of worldUsers) {
          const oracle = oracleOf(viewer);
          const seen = whole.filter((data) => {
            const object = (data[root?.key ?? ''] as Value)[carried] as Value | null;
            return object === null || oracle.sees(object);
          });
          const expected = seen.map((data) => oracle.expect('Subscription', probe.asked, data));
          const isRefused = expected.some(({ errors }) => errors.includes(`${root?.key ?? ''} FORBIDDEN`));
          const answers = await snapshotOf(ask.subscribe(viewer, text));
          const where = { viewer, way: probe.way };
          if (isRefused) {
            expect({ ...where, errors: answers.flatMap(outcomesOf) }).toEqual({ ...where, errors: [`${root?.key ?? ''} FORBIDDEN`] });
          } else {
            expect({ ...where, answers: answers.map((answer) => ({ data: answer.data, errors: outcomesOf(answer) })) }).toEqual({
              ...where,
              answers: expected,
            });
          }
        }
      }
    });

    it('has left no governed field out', () => {
      const governed = probes.governedCoordinates();
      expect(governed.length).toBeGreaterThan(20);
      expect(governed.filter((coordinate) => (decisions.get(coordinate)?.allowed ?? 0) === 0)).toEqual([]);
      // Of those that a viewer may be refused by the role held in the parent's project, some at least were.
      const refused = governed.filter((coordinate) => (decisions.get(coordinate)?.refused ?? 0) > 0);
      expect(refused).toEqual(
        expect.arrayContaining(['Query.pods', 'Query.namespaces', 'Query.clusters', 'Pod.namespace', 'Pod.node', 'Project.namespaces']),
      );
    });
  });

  describeLeaks(name, open);
}

/** That nothing can be built without saying how it is governed. */
export function describeGovernanceOfTheGraph(): void {
  describe('the schema of the gateway', () => {
    it('keeps the rule of governance', () => {
      expect(checkGovernance(schema)).toEqual([]);
    });

    const governed = new Probes(schema, []).governedCoordinates();
    const ungoverned = coordinatesWith('ungoverned');

    it.each([...governed, ...ungoverned])('does not build without the directive of %s, where it leads to a node', (coordinate) => {
      const doctored = schemaOf(without(coordinate));
      const problems = checkGovernance(doctored);
      // A field such as `Pod.yaml` is governed without having to be: its interfaces, or its own use, want it.
      const isWanted = problems.some((problem) => problem.startsWith(`${coordinate}:`));
      const [type = '', field = ''] = coordinate.split('.');
      if (leadsToNodeBySchema(type, field)) expect(isWanted).toBe(true);
      else expect(governed).toContain(coordinate);
    });

    it.each(new Probes(schema, []).types())('does not build where %s has a new field that leads to a pod and says nothing', (type) => {
      const doctored = visit(document, {
        ObjectTypeDefinition: (node) =>
          node.name.value === type
            ? { ...node, fields: [...(node.fields ?? []), ...fieldsOf('type X { surprise: [Pod!] listed: PodConnection }')] }
            : undefined,
      });
      expect(checkGovernance(schemaOf(doctored))).toEqual(
        ['surprise', 'listed'].map((field) => `${type}.${field}: carries neither @permission nor @ungoverned, and leads to a Node.`),
      );
    });

    it.each(['Query', 'Subscription'])('does not build where %s has a new field that says nothing, whatever it leads to', (type) => {
      const doctored = visit(document, {
        ObjectTypeDefinition: (node) =>
          node.name.value === type ? { ...node, fields: [...(node.fields ?? []), ...fieldsOf('type X { time: String }')] } : undefined,
      });
      expect(checkGovernance(schemaOf(doctored))).toEqual([
        `${type}.time: carries neither @permission nor @ungoverned, and is a root field.`,
      ]);
    });
  });
}

function fieldsOf(text: string): readonly FieldDefinitionNode[] {
  const [definition] = parse(text).definitions;
  return definition?.kind === Kind.OBJECT_TYPE_DEFINITION ? (definition.fields ?? []) : [];
}

function coordinatesWith(directive: string): string[] {
  const found: string[] = [];
  visit(document, {
    ObjectTypeDefinition(node) {
      for (const field of node.fields ?? []) {
        if (field.directives?.some(({ name }) => name.value === directive) === true) found.push(`${node.name.value}.${field.name.value}`);
      }
    },
  });
  return found;
}

function without(coordinate: string): DocumentNode {
  const [type, field] = coordinate.split('.');
  return visit(document, {
    ObjectTypeDefinition: (node) =>
      node.name.value !== type
        ? undefined
        : { ...node, fields: node.fields?.map((one) => (one.name.value === field ? { ...one, directives: [] } : one)) ?? [] },
  });
}

/** Told from the text of types alone: by the interfaces of what the field names, or of what its connection holds. */
function leadsToNodeBySchema(type: string, field: string): boolean {
  const fields = (schema.getType(type) as { getFields?(): Record<string, { type: unknown }> } | undefined)?.getFields?.() ?? {};
  const named = String(fields[field]?.type).replace(/[[\]!]/g, '');
  if (['Query', 'Subscription', 'Mutation'].includes(type)) return true;
  const item = named.replace(/(Connection|Change)$/, '');
  const found = schema.getType(item) as { getInterfaces?(): readonly { name: string }[]; name: string } | undefined;
  return found?.name === 'Node' || found?.getInterfaces?.().some(({ name }) => name === 'Node') === true;
}

import { deployments, jobs } from '../../../src/domain/kinds/workloads.js';
import { parseLabelSelector } from '../../../src/k8s/label-selector.js';
import type { Scheduling } from '../../../src/domain/scheduling.js';
import { recordOf } from './records.js';

const labels = { app: 'web', tier: 'front' };
const schedulingOf = (spec: object): Scheduling =>
  recordOf(deployments, { spec: { selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels }, spec } } }).template
    .scheduling;

const onNode = (...names: string[]): object => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: names }] });
const withLabels = (...matchExpressions: object[]): object => ({ matchExpressions });
const inZone = (zone: string): object => ({ key: 'zone', operator: 'In', values: [zone] });
const nodeAffinity = (nodeSelectorTerms: readonly object[], preferred: readonly object[] = []): Scheduling =>
  schedulingOf({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
        preferredDuringSchedulingIgnoredDuringExecution: preferred,
      },
    },
  });

describe('affinity to nodes', () => {
  it('is told in the text of label selectors, in the order of the keys', () => {
    const term = withLabels(
      { key: 'zone', operator: 'In', values: ['b', 'a', 'b'] },
      { key: 'arch', operator: 'In', values: ['arm64'] },
      { key: 'retired', operator: 'DoesNotExist' },
      { key: 'gpu', operator: 'Exists' },
      { key: 'disk', operator: 'NotIn', values: ['hdd'] },
      { key: 'pool', operator: 'NotIn', values: ['y', 'x'] },
      { key: 'cores', operator: 'Gt', values: ['8'] },
      { key: 'age', operator: 'Lt', values: ['5'] },
    );
    const labelSelector = 'age<5,arch=arm64,cores>8,disk!=hdd,gpu,pool notin (x,y),!retired,zone in (a,b)';
    expect(nodeAffinity([term]).nodeAffinity).toEqual([{ weight: undefined, labelSelector }]);
    expect(parseLabelSelector(labelSelector)).toHaveLength(8);
  });

  it('is required by one term or the other, and preferred by weight', () => {
    const found = nodeAffinity(
      [withLabels(inZone('a')), withLabels(inZone('b'))],
      [
        { weight: 30, preference: withLabels(inZone('c')) },
        { weight: 1, preference: {} },
      ],
    );
    expect(found.nodeAffinity).toEqual([
      { weight: undefined, labelSelector: 'zone=a' },
      { weight: undefined, labelSelector: 'zone=b' },
      { weight: 30, labelSelector: 'zone=c' },
    ]);
  });

  it('leaves out terms that select nothing, and requirements that no API server takes', () => {
    expect(
      nodeAffinity([
        {},
        withLabels({ key: 'zone', operator: 'Near', values: ['a'] }),
        withLabels({ operator: 'Exists' }, { key: 'cores', operator: 'Gt', values: ['many'] }, { key: 'a', operator: 'Exists' }),
      ]).nodeAffinity,
    ).toEqual([{ weight: undefined, labelSelector: 'a' }]);
  });

  it('by name is told as names', () => {
    expect(nodeAffinity([onNode('n2'), onNode('n1')])).toMatchObject({ nodeNames: ['n1', 'n2'], nodeAffinity: [] });
    expect(nodeAffinity([onNode('n2'), onNode('n1'), onNode('n2')]).nodeNames).toEqual(['n1', 'n2']);
    expect(schedulingOf({ nodeName: 'n9' }).nodeNames).toEqual(['n9']);
  });

  it('by names and labels is told as names and labels, where each name goes with each of the labels', () => {
    const terms = [
      { ...onNode('n1'), ...withLabels(inZone('a')) },
      { ...onNode('n2'), ...withLabels(inZone('a')) },
    ];
    expect(nodeAffinity(terms)).toMatchObject({ nodeNames: ['n1', 'n2'], nodeAffinity: [{ labelSelector: 'zone=a' }] });
    const product = ['n1', 'n2'].flatMap((name) => ['a', 'b'].map((zone) => ({ ...onNode(name), ...withLabels(inZone(zone)) })));
    expect(nodeAffinity(product)).toMatchObject({
      nodeNames: ['n1', 'n2'],
      nodeAffinity: [{ labelSelector: 'zone=a' }, { labelSelector: 'zone=b' }],
    });
  });

  it('by names for some and labels for others allows no list of names', () => {
    const either = nodeAffinity([onNode('n1'), withLabels(inZone('a'))]);
    expect(either).toMatchObject({ nodeNames: [], nodeAffinity: [{ labelSelector: 'metadata.name=n1' }, { labelSelector: 'zone=a' }] });
    const crossed = nodeAffinity([
      { ...onNode('n1'), ...withLabels(inZone('a')) },
      { ...onNode('n2'), ...withLabels(inZone('b')) },
    ]);
    expect(crossed).toMatchObject({
      nodeNames: [],
      nodeAffinity: [{ labelSelector: 'metadata.name=n1,zone=a' }, { labelSelector: 'metadata.name=n2,zone=b' }],
    });
    const not = nodeAffinity([{ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }] }]);
    expect(not).toMatchObject({ nodeNames: [], nodeAffinity: [{ labelSelector: 'metadata.name!=n1' }] });
  });
});

describe('tolerations', () => {
  it('compare for equality where they do not say otherwise', () => {
    const tolerations = [
      { key: 'gpu', value: 'yes', effect: 'NoExecute', tolerationSeconds: 300 },
      { operator: 'Exists' },
      { key: 'rank', operator: 'Gt', value: '5', effect: 'PreferNoSchedule' },
      { key: 'rank', operator: 'Lt', value: '9' },
    ];
    expect(schedulingOf({ tolerations }).tolerations).toEqual([
      { key: 'gpu', operator: 'EQUAL', value: 'yes', effect: 'NO_EXECUTE', tolerationSeconds: 300 },
      { key: undefined, operator: 'EXISTS', value: undefined, effect: undefined, tolerationSeconds: undefined },
      { key: 'rank', operator: 'GT', value: '5', effect: 'PREFER_NO_SCHEDULE', tolerationSeconds: undefined },
      { key: 'rank', operator: 'LT', value: '9', effect: undefined, tolerationSeconds: undefined },
    ]);
  });
});

describe('affinity to pods', () => {
  const hostname = 'kubernetes.io/hostname';
  const term = (labelSelector: object | undefined, topologyKey = hostname, more: object = {}): object => ({
    topologyKey,
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...more,
  });
  const apart = (...terms: object[]): Scheduling =>
    schedulingOf({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } });
  const own = { matchLabels: { app: 'web' } };

  it('is near or apart, required or preferred', () => {
    const found = schedulingOf({
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            term({ matchLabels: { app: 'cache' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'a'] }] }, 'zone'),
          ],
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: term({ matchLabels: { app: 'db' } }) }],
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabels: { app: 'noisy' } })],
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term(own, 'zone') }],
        },
      },
    });
    expect(found).toMatchObject({
      spreadAcrossNodes: false,
      podAffinity: [
        { weight: undefined, labelSelector: 'app=cache,tier in (a,b)', topologyKey: 'zone', anti: false },
        { weight: 10, labelSelector: 'app=db', topologyKey: hostname, anti: false },
        { weight: undefined, labelSelector: 'app=noisy', topologyKey: hostname, anti: true },
        { weight: 100, labelSelector: 'app=web', topologyKey: 'zone', anti: true },
      ],
    });
  });

  it('keeps the pods of a workload on nodes of their own, which is told as that alone', () => {
    expect(apart(term(own))).toMatchObject({ spreadAcrossNodes: true, podAffinity: [] });
  });

  it('that keeps away from more than its own pods is told too', () => {
    expect(apart(term({ matchLabels: { tier: 'front' } }))).toMatchObject({
      spreadAcrossNodes: true,
      podAffinity: [{ labelSelector: 'tier=front', anti: true }],
    });
    expect(apart(term({}))).toMatchObject({ spreadAcrossNodes: true, podAffinity: [{ labelSelector: '', anti: true }] });
  });

  it.each<[string, object]>([
    ['of another topology', term(own, 'zone')],
    ['in named namespaces', term(own, hostname, { namespaces: ['shop'] })],
    ['in chosen namespaces', term(own, hostname, { namespaceSelector: {} })],
    ['of one version of the template', term(own, hostname, { matchLabelKeys: ['pod-template-hash'] })],
    ['of other pods', term({ matchLabels: { app: 'other' } })],
    ['of pods that its labels rule out', term({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] })],
  ])('%s spreads nothing', (_, only) => {
    expect(apart(only).spreadAcrossNodes).toBe(false);
    expect(apart(only).podAffinity).toHaveLength(1);
  });

  it('without a selector concerns no pod', () => {
    expect(apart(term(undefined))).toMatchObject({ spreadAcrossNodes: false, podAffinity: [] });
  });

  it('of a job, whose selector its controller makes, is told by the labels that it was given', () => {
    const generated = {
      'batch.kubernetes.io/controller-uid': 'uid-1',
      'controller-uid': 'uid-1',
      'batch.kubernetes.io/job-name': 'web',
      'job-name': 'web',
    };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabels: labels })] } };
    const selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } };
    const template = { metadata: { labels: { ...labels, ...generated } }, spec: { affinity } };
    expect(recordOf(jobs, { spec: { selector, template } }).template.scheduling).toMatchObject({
      spreadAcrossNodes: true,
      podAffinity: [],
    });
  });
});

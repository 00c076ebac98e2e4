import { decodeProtobuf, protobufType } from '../../../src/sandbox/protobuf.js';
import { SandboxServer } from '../../support/sandbox-server.js';

/** What kubectl sent for commands of its own, byte by byte. */
const sent = {
  // kubectl create deployment web --image=nginx:1.27 --replicas=0 --port 80
  deployments:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50Er0BCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEosBCAASDAoKCgNhcHASA3dlYhpxChwKABIA' +
    'GgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViElESMwoFbmdpbngSCm5naW54OjEuMjcqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBY' +
    'AGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==',
  // kubectl create job j --image=busybox -- sh -c 'echo hi'
  jobs:
    'azhzAAoPCghiYXRjaC92MRIDSm9iEokBChEKAWoSABoAIgAqADIAOABCABJqMmgKEAoAEgAaACIAKgAyADgAQgASVBIxCgFqEgdidXN5Ym94GgJzaBoCLWMa' +
    'B2VjaG8gaGkqAEIAagByAIABAIgBAJABAKIBABoFTmV2ZXIyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoIIAAoADAAOgAaACIA',
  // kubectl create cronjob c --image=busybox --schedule='*/1 * * * *' -- true
  cronjobs:
    'azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKhAQoRCgFjEgAaACIAKgAyADgAQgASiQEKCyovMSAqICogKiAqGgAqeAoRCgFjEgAaACIAKgAyADgAQgASYzJh' +
    'ChAKABIAGgAiACoAMgA4AEIAEk0SJgoBYxIHYnVzeWJveBoEdHJ1ZSoAQgBqAHIAgAEAiAEAkAEAogEAGglPbkZhaWx1cmUyAEIASgBSAFgAYABoAIIBAIoB' +
    'AJoBAMIBABoAGgAiAA==',
  // kubectl create secret generic s --from-literal=a=b
  secrets: 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=',
  // kubectl autoscale deployment web --max 3
  horizontalpodautoscalers:
    'azhzAAopCg5hdXRvc2NhbGluZy92MhIXSG9yaXpvbnRhbFBvZEF1dG9zY2FsZXISOwoTCgN3ZWISABoAIgAqADIAOABCABIeChoKCkRlcGxveW1lbnQSA3dl' +
    'YhoHYXBwcy92MRgDGgQYACAAGgAiAA==',
  // kubectl create configmap cm --from-literal=a=b
  configmaps: 'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEhwKEgoCY20SABoAIgAqADIAOABCABIGCgFhEgFiGgAiAA==',
};

const bytes = (name: keyof typeof sent): Buffer => Buffer.from(sent[name], 'base64');

describe('bodies in the binary form', () => {
  let cluster: SandboxServer;
  beforeAll(async () => {
    cluster = await SandboxServer.start();
  });
  afterAll(async () => {
    await cluster.close();
    expect(cluster.errors).toEqual([]);
  });

  const post = async (path: string, body: Buffer): Promise<{ code: number; body: Record<string, unknown> }> => {
    const response = await fetch(cluster.url + path, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': protobufType },
    });
    return { code: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('say the same as JSON would, zeros that are meant included', () => {
    expect(decodeProtobuf(bytes('deployments'))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx:1.27', ports: [{ containerPort: 80 }], resources: {} }] },
        },
        strategy: {},
      },
      status: { replicas: 0 },
    });
  });

  test.each([
    [
      '/apis/apps/v1/namespaces/default/deployments',
      'deployments',
      { spec: { replicas: 0, template: { spec: { restartPolicy: 'Always' } } } },
    ],
    [
      '/apis/batch/v1/namespaces/default/jobs',
      'jobs',
      { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ command: ['sh', '-c', 'echo hi'] }] } } } },
    ],
    [
      '/apis/batch/v1/namespaces/default/cronjobs',
      'cronjobs',
      { spec: { schedule: '*/1 * * * *', suspend: false, jobTemplate: { spec: { template: { spec: { restartPolicy: 'OnFailure' } } } } } },
    ],
    ['/api/v1/namespaces/default/secrets', 'secrets', { type: 'Opaque', data: { a: 'Yg==' } }],
    ['/api/v1/namespaces/default/configmaps', 'configmaps', { data: { a: 'b' } }],
    [
      '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
      'horizontalpodautoscalers',
      { spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'web' } } },
    ],
  ] as const)('are taken at %s', async (path, name, expected) => {
    const { code, body } = await post(`${path}?fieldValidation=Strict`, bytes(name));
    expect({ code, message: body.message }).toEqual({ code: 201, message: undefined });
    expect(body).toMatchObject(expected);
  });

  test('that are none, of an unknown kind or cut off are refused', async () => {
    const whole = bytes('deployments');
    const unknown = Buffer.from(whole.toString('latin1').replace('Deployment', 'Deployable'), 'latin1');
    for (const broken of [
      Buffer.from('{}'),
      Buffer.from('k8s'),
      unknown,
      whole.subarray(0, whole.length - 9),
      Buffer.concat([whole.subarray(0, 4), Buffer.alloc(20, 0xff)]),
    ]) {
      const { code, body } = await post('/apis/apps/v1/namespaces/default/deployments', broken);
      expect({ code, reason: body.reason }).toEqual({ code: 400, reason: 'BadRequest' });
    }
  });

  test('whatever bytes they are, never do more than be refused or taken', async () => {
    const whole = bytes('jobs');
    for (let place = 4; place < whole.length; place++) {
      const bent = Buffer.from(whole);
      bent[place] = (bent[place] ?? 0) ^ 0x55;
      let outcome = 'taken';
      try {
        decodeProtobuf(bent);
      } catch (error) {
        outcome = error instanceof RangeError ? 'out of bounds' : 'refused';
      }
      expect(outcome).not.toBe('out of bounds');
    }
    expect((await cluster.ask('GET', '/readyz')).code).toBe(200);
  });
});

import { decodeId, encodeClusterId, encodeId, encodeViewerId } from '../../../src/domain/ids.js';
import { nodes } from '../../../src/domain/kinds/nodes.js';
import { pods } from '../../../src/domain/kinds/pods.js';
import { recordOf, seededRandom } from './records.js';

/** An id with these parts, well formed or not. */
const forged = (...parts: string[]): string => Buffer.from(parts.join('\0'), 'utf8').toString('base64url');
const uid = '6f1c2e6e-0000-4000-8000-000000000001';

describe('an id', () => {
  it('says where the object is, and which', () => {
    const pod = recordOf(pods, { metadata: { name: 'web-1', namespace: 'shop', uid } });
    expect(decodeId(pod.id)).toEqual({ cluster: 'east', kind: 'Pod', namespace: 'shop', name: 'web-1', uid });
    const node = recordOf(nodes, { metadata: { name: 'n1.example.com', uid } }, '华东一');
    expect(decodeId(node.id)).toEqual({ cluster: '华东一', kind: 'Node', namespace: undefined, name: 'n1.example.com', uid });
    expect(decodeId(encodeClusterId('华东一'))).toEqual({ cluster: '华东一', kind: 'Cluster', namespace: undefined, name: '', uid: '' });
  });

  it('is the same whoever makes it, and another for another object of the same name', () => {
    const id = (changes: object = {}): string =>
      encodeId({ clusterName: 'east', kind: 'Pod', namespaceName: 'shop', name: 'web', uid, ...changes });
    expect(id()).toBe(id());
    const others = [
      id(),
      id({ uid: 'other' }),
      id({ namespaceName: 'b' }),
      id({ clusterName: 'west' }),
      id({ kind: 'Job' }),
      id({ name: 'x' }),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('of names at their longest is still read', () => {
    const name = `${'a'.repeat(251)}.b`;
    const id = encodeId({ clusterName: '云'.repeat(253), kind: 'Pod', namespaceName: 'n'.repeat(63), name, uid: 'u'.repeat(128) });
    expect(decodeId(id)).toMatchObject({ name, namespace: 'n'.repeat(63) });
  });

  it('of a viewer leads to no object', () => {
    expect(encodeViewerId('u-alice')).toBe('user:u-alice');
    expect(decodeId(encodeViewerId('u-alice'))).toBeUndefined();
  });

  it.each<[string, string]>([
    ['is empty', ''],
    ['is no base64', '*'],
    ['is padded', `${forged('1', 'east', 'Pod', 'shop', 'web', uid)}=`],
    ['has a blank', ` ${forged('1', 'east', 'Pod', 'shop', 'web', uid)}`],
    ['is of another version', forged('2', 'east', 'Pod', 'shop', 'web', uid)],
    ['is of a kind that the graph does not have', forged('1', 'east', 'ReplicaSet', 'shop', 'web', uid)],
    ['is of a kind in another case', forged('1', 'east', 'pod', 'shop', 'web', uid)],
    ['is of a property of every object', forged('1', 'east', 'constructor', 'shop', 'web', uid)],
    ['lacks a part', forged('1', 'east', 'Pod', 'shop', 'web')],
    ['has a part too many', forged('1', 'east', 'Pod', 'shop', 'web', uid, 'x')],
    ['has no cluster', forged('1', '', 'Pod', 'shop', 'web', uid)],
    ['has a cluster with a line break', forged('1', 'ea\nst', 'Pod', 'shop', 'web', uid)],
    ['has a cluster with a character of control', forged('1', 'ea\u007fst', 'Pod', 'shop', 'web', uid)],
    ['has no namespace where its kind has one', forged('1', 'east', 'Pod', '', 'web', uid)],
    ['has a namespace where its kind has none', forged('1', 'east', 'Node', 'shop', 'n1', uid)],
    ['goes up in the path', forged('1', 'east', 'Pod', '..', 'web', uid)],
    ['goes up in the path by its name', forged('1', 'east', 'Secret', 'shop', '../../secrets', uid)],
    ['has a path for a name', forged('1', 'east', 'Pod', 'shop', 'web/log', uid)],
    ['has an escaped path for a name', forged('1', 'east', 'Pod', 'shop', 'web%2flog', uid)],
    ['has a question for a name', forged('1', 'east', 'Pod', 'shop', 'web?x=1', uid)],
    ['has a name that is too long', forged('1', 'east', 'Pod', 'shop', 'a'.repeat(254), uid)],
    ['has no name', forged('1', 'east', 'Pod', 'shop', '', uid)],
    ['has no uid', forged('1', 'east', 'Pod', 'shop', 'web', '')],
    ['has a uid with a slash', forged('1', 'east', 'Pod', 'shop', 'web', 'a/b')],
    ['is a cluster with a name of its own', forged('1', 'east', 'Cluster', '', 'x', '')],
    ['is too long', 'A'.repeat(10_000)],
    [
      'is no UTF-8',
      Buffer.concat([Buffer.from('1\0'), Buffer.from([0xff]), Buffer.from(`\0Pod\0shop\0web\0${uid}`)]).toString('base64url'),
    ],
  ])('that %s is none', (_, id) => {
    expect(decodeId(id)).toBeUndefined();
  });

  it('that was changed anywhere names another object or none, and never throws', () => {
    const id = encodeId({ clusterName: 'east', kind: 'Pod', namespaceName: 'shop', name: 'web-1', uid });
    const original = JSON.stringify(decodeId(id));
    const random = seededRandom(3);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=';
    for (let round = 0; round < 5_000; round += 1) {
      const at = Math.floor(random() * id.length);
      const changed = id.slice(0, at) + (letters[Math.floor(random() * letters.length)] ?? '') + id.slice(at + Math.floor(random() * 2));
      if (changed !== id) expect(JSON.stringify(decodeId(changed))).not.toBe(original);
    }
  });
});

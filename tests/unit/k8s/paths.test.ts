import { isNamespaceName, isObjectName, isPlainPath, resourcePath } from '../../../src/k8s/paths.js';

const pods = { apiVersion: 'v1', plural: 'pods' };
const deployments = { apiVersion: 'apps/v1', plural: 'deployments' };

describe('A path', () => {
  test('leads to a list, one namespace of it, an object, or a subresource', () => {
    expect(resourcePath(pods)).toBe('/api/v1/pods');
    expect(resourcePath(pods, { namespace: 'shop' })).toBe('/api/v1/namespaces/shop/pods');
    expect(resourcePath(deployments, { namespace: 'shop', name: 'web.v2' })).toBe('/apis/apps/v1/namespaces/shop/deployments/web.v2');
    expect(resourcePath(pods, { namespace: 'shop', name: 'web', subresource: 'log' })).toBe('/api/v1/namespaces/shop/pods/web/log');
    expect(resourcePath({ apiVersion: 'v1', plural: 'nodes' }, { name: 'node-1' })).toBe('/api/v1/nodes/node-1');
  });

  const bad = [
    '',
    '.',
    '..',
    'a/b',
    '../secrets',
    'a%2fb',
    '%2e%2e',
    'a\0',
    'a\n',
    'A',
    'ä',
    '-a',
    'a-',
    'a b',
    'a?b',
    'a#b',
    'a'.repeat(10_000),
  ];

  test.each(bad)('is refused for an object named %j', (name) => {
    expect(isObjectName(name)).toBe(false);
    expect(() => resourcePath(pods, { namespace: 'shop', name })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  test.each([...bad, 'a.b', 'a'.repeat(64)])('is refused for a namespace named %j', (namespace) => {
    expect(isNamespaceName(namespace)).toBe(false);
    expect(() => resourcePath(pods, { namespace })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  test.each([
    [{ apiVersion: '../v1', plural: 'pods' }, {}],
    [{ apiVersion: 'apps/v1/secrets', plural: 'pods' }, { name: 'a' }],
    [{ apiVersion: 'apps/..', plural: 'pods' }, {}],
    [{ apiVersion: 'v1', plural: '../secrets' }, {}],
    [pods, { namespace: 'shop', name: 'web', subresource: '../log' }],
  ])('is refused for a kind like %j at %j', (kind, at) => {
    expect(() => resourcePath(kind, at)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  test('takes names as long as Kubernetes does', () => {
    expect(isObjectName('a'.repeat(253))).toBe(true);
    expect(isObjectName('a'.repeat(254))).toBe(false);
    expect(isNamespaceName('a'.repeat(63))).toBe(true);
  });

  test('is checked in no time, however it is made', () => {
    const startedAt = performance.now();
    isObjectName(`${'a-'.repeat(126)}!`);
    isPlainPath(`/${'a/'.repeat(1_000)}%`);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});

test.each(['/version', '/api/v1/pods', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node'])('%s is plain', (path) => {
  expect(isPlainPath(path)).toBe(true);
});

test.each([
  '',
  '/',
  'version',
  '//version',
  '/a/',
  '/a/../b',
  '/a/./b',
  '/.hidden',
  '/a%20b',
  '/a?b',
  '/a#b',
  '/a\\b',
  '/ä',
  `/${'a'.repeat(3_000)}`,
])('%j is not plain', (path) => {
  expect(isPlainPath(path)).toBe(false);
});

import { accessOf, type Identity } from '../../../src/auth/access.js';
import { permissionFunctions } from '../../../src/auth/matrix.js';
import { accessWith, cloudAdminAccess } from '../../support/viewers.js';

describe('access', () => {
  it('decides by the role in the project of the object, not by the highest role', () => {
    const access = accessWith({ a: 'PROJECT_ADMIN', b: 'USER' });
    expect(access.allowsIn('NAMESPACE_VIEW', 'a')).toBe(true);
    expect(access.allowsIn('NAMESPACE_VIEW', 'b')).toBe(false);
    expect(access.allowsIn('WORKLOAD_VIEW', 'b')).toBe(true);
    expect(access.allowsAnywhere('NAMESPACE_VIEW')).toBe(true);
    expect(access.projectsWith('NAMESPACE_VIEW')).toEqual(new Set(['a']));
    expect(access.projectsWith('WORKLOAD_VIEW')).toEqual(new Set(['a', 'b']));
    expect(access.highestRole).toBe('PROJECT_ADMIN');
    expect(access.roleIn('b')).toBe('USER');
  });

  it('gives nobody anything in a project that is not joined, or in none', () => {
    const access = accessWith({ a: 'DEPARTMENT_ADMIN' });
    for (const name of permissionFunctions) {
      expect(access.allowsIn(name, 'b')).toBe(false);
      expect(access.allowsIn(name, undefined)).toBe(false);
    }
    expect(access.knows('b')).toBe(false);
    expect(access.roleIn('b')).toBeUndefined();
  });

  it('gives who has no role nothing', () => {
    const access = accessWith();
    expect(access.highestRole).toBeUndefined();
    for (const name of permissionFunctions) {
      expect(access.allowsAnywhere(name)).toBe(false);
      expect(access.projectsWith(name)).toEqual(new Set());
    }
  });

  it('gives cloud administrators everything, in projects nobody has heard of and in none', () => {
    const access = cloudAdminAccess();
    for (const name of permissionFunctions) {
      expect(access.allowsIn(name, 'anything')).toBe(true);
      expect(access.allowsIn(name, undefined)).toBe(true);
      expect(access.projectsWith(name)).toBeUndefined();
    }
    expect(access.knows('anything')).toBe(true);
    expect(access.roleIn('anything')).toBe('CLOUD_ADMIN');
    expect(access.highestRole).toBe('CLOUD_ADMIN');
  });

  it('does not take a project role for cloud administration', () => {
    const identity: Identity = { userId: 'u', userName: 'u', cloudAdmin: false, roles: new Map([['a', 'CLOUD_ADMIN']]) };
    expect(() => accessOf(identity)).toThrow('CLOUD_ADMIN');
  });

  it('has one revision for equal roles, whoever holds them and in whatever order, and another for any other', () => {
    const one = accessWith({ a: 'USER', b: 'READER' }, 'u-1').revision;
    expect(accessWith({ b: 'READER', a: 'USER' }, 'u-2').revision).toBe(one);
    const others = [
      accessWith({ a: 'USER' }),
      accessWith({ a: 'READER', b: 'USER' }),
      accessWith({ a: 'USER', b: 'USER' }),
      accessWith(),
      cloudAdminAccess(),
    ];
    expect(new Set([one, ...others.map((access) => access.revision)]).size).toBe(6);
  });

  it('keeps what it has decided', () => {
    const access = accessWith({ a: 'USER' });
    expect(access.projectsWith('WORKLOAD_VIEW')).toBe(access.projectsWith('WORKLOAD_VIEW'));
  });
});

import { Directive } from 'type-graphql';
import type { PermissionFunction } from '../auth/matrix.js';

/** The field is governed by this row of the permission matrix, in the project of its parent. */
export function Governed(permission: PermissionFunction): MethodDecorator & PropertyDecorator {
  return Directive(`@permission(function: ${permission})`);
}

/** The permission matrix does not govern the field. `reason`: why it need not; public, one sentence. */
export function Ungoverned(reason: string): MethodDecorator & PropertyDecorator {
  return Directive(`@ungoverned(reason: ${JSON.stringify(reason)})`);
}

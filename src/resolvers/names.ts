import { GatewayError } from '../errors.js';
import { isNamespaceName, isObjectName } from '../k8s/paths.js';

/** @throws GatewayError `BAD_USER_INPUT` for what no object of Kubernetes can be called. */
export function checkName(name: string, field = 'name'): void {
  if (!isObjectName(name)) {
    throw new GatewayError(
      'BAD_USER_INPUT',
      `${field} is a Kubernetes name: at most 253 of a-z, 0-9, - and ., beginning and ending with a letter or digit.`,
      {
        field,
      },
    );
  }
}

/** @throws GatewayError `BAD_USER_INPUT` for what no namespace can be called. */
export function checkNamespace(name: string, field = 'namespace'): void {
  if (!isNamespaceName(name)) {
    throw new GatewayError(
      'BAD_USER_INPUT',
      `${field} is the name of a namespace: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.`,
      {
        field,
      },
    );
  }
}

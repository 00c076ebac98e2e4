import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { unauthenticated } from '../auth/access.js';

/** A token is a credential: this is the one place that takes it from a request, and it goes nowhere but to the authenticator. */
const bearer = /^bearer +(\S+)$/i;

/** Headers that a token comes in. */
export const credentialHeaders = ['authorization', 'x-auth-token'] as const;

const maxTokenLength = 8_192;

/** @throws GatewayError `UNAUTHENTICATED` where there is none. */
export function tokenOfHeaders(headers: IncomingHttpHeaders): string {
  return tokenOf(headers.authorization, headers['x-auth-token']);
}

/** From the payload of `connection_init`, which has the same two keys. @throws GatewayError `UNAUTHENTICATED` where there is none. */
export function tokenOfPayload(payload: Readonly<Record<string, unknown>> | undefined): string {
  return tokenOf(payload?.['authorization'], payload?.['x-auth-token']);
}

function tokenOf(authorization: unknown, authToken: unknown): string {
  const token =
    typeof authorization === 'string' ? bearer.exec(authorization)?.[1] : typeof authToken === 'string' ? authToken.trim() : undefined;
  if (token === undefined || token === '' || token.length > maxTokenLength) throw unauthenticated();
  return token;
}

/** Which web pages may talk to the API: those of its own origin, and those of the configured list. Programs send no `Origin`, and may. */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  allows(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined) return true;
    if (this.#allowed.has(origin)) return true;
    return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
  }
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/;

/** Whether a request was addressed to this machine by a loopback name: a page that rebinds DNS is not. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && loopback.test(host);
}

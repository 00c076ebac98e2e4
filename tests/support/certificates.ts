import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

/** What a certificate is to be issued for. */
export interface CertificateRequest {
  /** Kubernetes reads a client's user name from it. */
  readonly commonName: string;
  /** Kubernetes reads a client's groups from it. Default: none. */
  readonly organizations?: readonly string[];
  /** Host names and IPv4 addresses of a server. Default: none. */
  readonly hosts?: readonly string[];
  /** Default: an hour ago, so that clocks may differ. */
  readonly notBefore?: Date;
  /** Default: in a day. A date in the past gives an expired certificate. */
  readonly notAfter?: Date;
}

/** A certificate and its private key (P-256, PKCS #8), both PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of its own, so that tests need no openssl. */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;

  constructor(commonName: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.#name = distinguishedName(commonName, []);
    this.certificate = this.#sign(this.#name, publicKey, new Date(Date.now() - HOUR_MS), new Date(Date.now() + 365 * DAY_MS), [
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      extension(OID.keyUsage, bitString(Buffer.from([0x06]), 1), true),
    ]);
  }

  issue(request: CertificateRequest): IssuedCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const hosts = request.hosts ?? [];
    const extensions = [
      extension(OID.keyUsage, bitString(Buffer.from([0x80]), 7), true),
      extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
    ];
    if (hosts.length > 0) extensions.push(extension(OID.subjectAlternativeName, sequence(...hosts.map(alternativeName))));
    const certificate = this.#sign(
      distinguishedName(request.commonName, request.organizations ?? []),
      publicKey,
      request.notBefore ?? new Date(Date.now() - HOUR_MS),
      request.notAfter ?? new Date(Date.now() + DAY_MS),
      extensions,
    );
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  #sign(subject: Buffer, publicKey: KeyObject, notBefore: Date, notAfter: Date, extensions: readonly Buffer[]): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const body = sequence(
      encode(0xa0, integer(Buffer.from([2]))),
      // A serial number is positive: its first bit must be clear, and its first byte must not be nothing.
      integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
      algorithm,
      this.#name,
      sequence(time(notBefore), time(notAfter)),
      subject,
      createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
      encode(0xa3, sequence(...extensions)),
    );
    return pem(sequence(body, algorithm, bitString(sign('sha256', body, this.#key), 0)));
  }
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAlternativeName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

// X.509 is written in DER (X.690): a tag, a length, the content.

function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), body]);
}

const sequence = (...items: readonly Uint8Array[]): Buffer => encode(0x30, ...items);
const integer = (value: Uint8Array): Buffer => encode(0x02, value);
const boolean = (value: boolean): Buffer => encode(0x01, Buffer.from([value ? 0xff : 0]));
const bitString = (value: Uint8Array, unusedBits: number): Buffer => encode(0x03, Buffer.from([unusedBits]), value);
const text = (value: string): Buffer => encode(0x0c, Buffer.from(value));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return encode(0x06, Buffer.from(bytes));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const part = (type: string, value: string): Buffer => encode(0x31, sequence(oid(type), text(value)));
  return sequence(...organizations.map((name) => part(OID.organization, name)), part(OID.commonName, commonName));
}

/** Two-digit years end in 2049: tests stay below. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return encode(0x17, Buffer.from(digits.slice(2)));
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), encode(0x04, value));
}

function alternativeName(host: string): Buffer {
  return isIP(host) === 4 ? encode(0x87, Buffer.from(host.split('.').map(Number))) : encode(0x82, Buffer.from(host));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/**
 * X.509 certificates (RFC 5280) that are issued here: an authority that is limited to names, and servers that it signs. Keys
 * are ECDSA on P-256. Pure: times and serial numbers come from the caller.
 *
 * @example
 * const authority = issueAuthority({ commonName: 'Example CA', names: ['localhost', '127.0.0.1'], key, serial, ...validity })
 * const server = issueServer({ commonName: 'localhost', names: ['localhost'], publicKey, serial, ...validity }, { key, certificate: authority })
 */
import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, boolean, context, integer, objectId, octets, sequence, set, time, utf8 } from './der.ts'

interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
  /** Positive; 16 random bytes are enough. */
  readonly serial: Uint8Array
}

export interface AuthorityRequest extends Validity {
  readonly commonName: string
  /** DNS names, with all names below them, and IP addresses: it can sign for no others. */
  readonly names: readonly string[]
  readonly key: KeyObject
  readonly publicKey: KeyObject
}

export interface ServerRequest extends Validity {
  readonly commonName: string
  readonly names: readonly string[]
  readonly publicKey: KeyObject
}

export interface Signer {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const SERVER_AUTHENTICATION = objectId('1.3.6.1.5.5.7.3.1')
const ALL_IPV4 = Buffer.alloc(8)
const ALL_IPV6 = Buffer.alloc(32)

export function issueAuthority(request: AuthorityRequest): X509Certificate {
  const { key, publicKey, commonName, names } = request
  const keyId = keyIdOf(publicKey)
  return issue({ ...request, publicKey, issuer: nameOf(commonName), subject: nameOf(commonName) }, key, [
    extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)),
    extension('2.5.29.30', true, nameConstraints(names)),
    extension('2.5.29.37', false, sequence(SERVER_AUTHENTICATION)),
    extension('2.5.29.14', false, octets(keyId)),
  ])
}

export function issueServer(request: ServerRequest, { certificate, key }: Signer): X509Certificate {
  const { publicKey, commonName, names } = request
  const alternatives = sequence(
    ...names.map((name) => (isIP(name) ? context(7, false, addressOf(name)) : dnsName(name))),
  )
  const issuer = nameOf(commonNameOf(certificate))
  return issue({ ...request, issuer, subject: nameOf(commonName) }, key, [
    extension('2.5.29.19', true, sequence()),
    // digitalSignature.
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
    extension('2.5.29.37', false, sequence(SERVER_AUTHENTICATION)),
    extension('2.5.29.17', false, alternatives),
    extension('2.5.29.14', false, octets(keyIdOf(publicKey))),
    extension('2.5.29.35', false, sequence(context(0, false, keyIdOf(certificate.publicKey)))),
  ])
}

const commonNameOf = ({ subject }: X509Certificate): string => /^CN=(.*)$/m.exec(subject)![1]!

interface Contents extends Validity {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKey: KeyObject
}

function issue(contents: Contents, key: KeyObject, extensions: readonly Buffer[]): X509Certificate {
  const { serial, issuer, subject, notBefore, notAfter, publicKey } = contents
  const toSign = sequence(
    context(0, true, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, true, sequence(...extensions)),
  )
  return new X509Certificate(sequence(toSign, ECDSA_WITH_SHA256, bits(sign('sha256', toSign, key))))
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))

const nameOf = (commonName: string): Buffer => sequence(set(sequence(objectId('2.5.4.3'), utf8(commonName))))

const dnsName = (name: string): Buffer => context(2, false, Buffer.from(name, 'ascii'))

/** RFC 5280 §4.2.1.2, method 1: over the bits of the public key. */
const keyIdOf = (publicKey: KeyObject): Buffer => {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return createHash('sha1').update(point).digest()
}

/** A kind of name that is not listed would not be limited at all: of such a kind all are excluded. */
function nameConstraints(names: readonly string[]): Buffer {
  const addresses = names.filter((name) => isIP(name))
  const hosts = names.filter((name) => !isIP(name))
  const permitted = [
    ...hosts.map((name) => sequence(dnsName(name))),
    ...addresses.map((address) => {
      const bytes = addressOf(address)
      return sequence(context(7, false, bytes, Buffer.alloc(bytes.length, 0xff)))
    }),
  ]
  const isAbsent = (family: 4 | 6) => !addresses.some((address) => isIP(address) === family)
  const excluded = [
    ...(hosts.length === 0 ? [sequence(dnsName(''))] : []),
    ...(isAbsent(4) ? [sequence(context(7, false, ALL_IPV4))] : []),
    ...(isAbsent(6) ? [sequence(context(7, false, ALL_IPV6))] : []),
  ]
  return sequence(context(0, true, ...permitted), ...(excluded.length > 0 ? [context(1, true, ...excluded)] : []))
}

/** Four or sixteen bytes. */
export function addressOf(text: string): Buffer {
  if (isIP(text) === 4) return Buffer.from(text.split('.').map(Number))
  if (isIP(text) !== 6) throw new Error(`'${text}' is not an IP address.`)
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  )
  const [head = '', tail] = plain.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const behind = tail === undefined ? [] : groups(tail)
  const before = groups(head)
  const all = [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind]
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}

/**
 * Rules for certificates of servers, each true for every leaf: of RFC 5280, and of the CA/Browser Forum's baseline requirements (BR).
 * A table as linters of certificates have it, for tests.
 *
 * @example
 * brokenRules(leaf, { names, issuer, notAfter }) // []
 */
import { createPublicKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { certificateParts } from './certificate-builder.ts'
import { type Element, elements, only } from './der-read.ts'
import { extensionOids, keyIdOfSpki } from './extensions.ts'
import { readName } from './names.ts'
import { type PathCertificate, pathCertificate } from './path-certificate.ts'

/** What was requested of the leaf. */
export interface Expected {
  readonly names: readonly string[]
  readonly issuer: PathCertificate
  /** Epoch milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  readonly isRsa: boolean
}

interface Leaf extends PathCertificate {
  readonly node: X509Certificate
  readonly parts: ReturnType<typeof certificateParts>
  /** Elements of what is signed, from the serial on. */
  readonly fields: readonly Element[]
  /** `[oid, critical?, value]` of each extension. */
  readonly extensionParts: readonly (readonly Element[])[]
}

type Rule = (leaf: Leaf, expected: Expected) => boolean

const DAY_MS = 24 * 60 * 60 * 1000
const DOMAIN_VALIDATED = '2.23.140.1.2.1'
const ANY_USAGE = '2.5.29.37.0'
const COMMON_NAME = '2.5.4.3'
const SHA1_ALGORITHMS = new Set(['1.2.840.113549.1.1.5', '1.2.840.10045.4.1'])
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

const isCritical = ({ parts }: Leaf, oid: string): boolean => parts.extensions.get(oid)?.critical === true
const dnsNames = ({ names }: Leaf): readonly string[] =>
  names.flatMap((name) => (name.kind === 'dns' ? [name.text] : []))
const urisIn = (value: Buffer | undefined): readonly string[] =>
  (value?.toString('latin1').match(/https?:\/\/[!-~]+/g) ?? []).map((text) => text.replace(/[^!-~].*$/, ''))
const isUtcTime = ({ tag }: Element): boolean => tag === 0x17

export const LEAF_RULES: Readonly<Record<string, Rule>> = {
  'RFC 5280 4.1.2.2: the serial is positive': ({ parts }) => parts.serial[0]! < 0x80 && parts.serial.some((b) => b > 0),
  'RFC 5280 4.1.2.2: the serial has at most 20 bytes': ({ parts }) => parts.serial.length <= 20,
  'BR 7.1: the serial has at least 64 bits': ({ parts }) => parts.serial.length >= 9,
  'X.690 8.3.2: the serial has no superfluous byte': ({ parts: { serial } }) => serial[0] !== 0 || serial[1]! >= 0x80,
  'RFC 5280 4.1.2.4: the issuer is the subject of the authority, byte for byte': ({ parts }, { issuer }) =>
    parts.issuer.equals(certificateParts(issuer.der).subject),
  'RFC 5280 4.1.2.5: times until 2049 are UTCTime, later ones are not': ({ fields, startsMs, endsMs }) => {
    const times = elements(fields[3]!.content)
    return [startsMs, endsMs].every((at, index) => isUtcTime(times[index]!) === at < Date.UTC(2050, 0))
  },
  'RFC 5280 4.1.2.5: it begins and ends when it should': ({ startsMs, endsMs }, { notBefore, notAfter }) =>
    startsMs === notBefore && endsMs === notAfter && startsMs < endsMs,
  'BR 6.3.2: it is valid for 398 days at most': ({ startsMs, endsMs }) => endsMs - startsMs + 1_000 <= 398 * DAY_MS,
  'RFC 5280 6.1: it does not outlive its authority': ({ endsMs }, { issuer }) => endsMs <= issuer.endsMs,
  'BR 7.1.2.7.2: the subject has a common name alone': ({ parts }) =>
    readName(parts.subject).every(({ oid }) => oid === COMMON_NAME) && readName(parts.subject).length === 1,
  'RFC 5280 A.1: the common name has at most 64 characters': ({ parts }) =>
    readName(parts.subject).every(({ value }) => value.length <= 64),
  'BR 7.1.4.3: the common name is one of the alternative names': (leaf) =>
    readName(leaf.parts.subject).every(({ value }) => dnsNames(leaf).includes(value) || isIP(value) > 0),
  'BR 7.1.2.7.12: it has alternative names': ({ names }) => names.length > 0,
  'BR 7.1.2.7.12: alternative names are not critical beside a subject': (leaf) =>
    !isCritical(leaf, extensionOids.subjectAltName),
  'BR 7.1.4.2: alternative names are host names and addresses': ({ names }) =>
    names.every(({ kind }) => kind === 'dns' || kind === 'address'),
  'RFC 5280 4.2.1.6: it has the names that were requested, and no others': (leaf, { names }) =>
    dnsNames(leaf).toSorted().join() === names.toSorted().join(),
  'BR 7.1.4.2: no name occurs twice': (leaf) => new Set(dnsNames(leaf)).size === dnsNames(leaf).length,
  'RFC 1034 3.1: names have at most 253 characters, labels at most 63': (leaf) =>
    dnsNames(leaf).every((name) => name.length <= 253 && name.split('.').every(({ length }) => length <= 63)),
  'RFC 5890 2.3.1: labels are letters, digits and inner hyphens': (leaf) =>
    dnsNames(leaf).every((name) =>
      name
        .replace(/^\*\./, '')
        .split('.')
        .every((label) => LABEL.test(label)),
    ),
  'BR 1.6.1: an asterisk is the whole of the first label alone': (leaf) =>
    dnsNames(leaf).every((name) => !name.slice(1).includes('*') && (!name.startsWith('*') || name.startsWith('*.'))),
  'BR 3.2.2.6: no wildcard is for a whole top-level domain': (leaf) =>
    dnsNames(leaf).every((name) => name.replace(/^\*\./, '').includes('.')),
  'BR 7.1.2.7.8: it is no authority': ({ isAuthority, pathLength }) => !isAuthority && pathLength === undefined,
  'BR 7.1.2.7.8: basic constraints are critical': (leaf) => isCritical(leaf, extensionOids.basicConstraints),
  'RFC 5280 4.2.1.3: key usage is critical': (leaf) => isCritical(leaf, extensionOids.keyUsage),
  'BR 7.1.2.7.11: the key signs': ({ keyUsages }) => keyUsages?.has('digitalSignature') === true,
  'BR 7.1.2.7.11: the key signs no certificates and lists': ({ keyUsages }) =>
    !keyUsages?.has('keyCertSign') && !keyUsages?.has('cRLSign'),
  'RFC 5480 3: a key on a curve enciphers no keys': ({ keyUsages }, { isRsa }) =>
    isRsa || (!keyUsages?.has('keyEncipherment') && !keyUsages?.has('dataEncipherment')),
  'X.690 11.2.2: the bits of key usage have no zero at their end': ({ parts }) => {
    const [unused, ...bytes] = only(parts.extensions.get(extensionOids.keyUsage)!.value, 0x03).content
    return bytes.length > 0 && ((bytes.at(-1)! >> unused!) & 1) === 1
  },
  'BR 7.1.2.7.10: it is for servers': ({ extendedKeyUsages }) => extendedKeyUsages?.has('1.3.6.1.5.5.7.3.1') === true,
  'BR 7.1.2.7.10: it is not for any purpose': ({ extendedKeyUsages }) => !extendedKeyUsages?.has(ANY_USAGE),
  'RFC 5280 4.2.1.1: it names the key of its authority': ({ authorityKeyId }, { issuer }) =>
    authorityKeyId !== undefined && authorityKeyId === issuer.subjectKeyId,
  'BR 7.1.2.11.1: it names the key of its authority alone': ({ parts }) =>
    elements(only(parts.extensions.get(extensionOids.authorityKeyId)!.value, 0x30).content).length === 1,
  'RFC 5280 4.2.1.1 and 4.2.1.2: identifiers of keys are not critical': (leaf) =>
    !isCritical(leaf, extensionOids.authorityKeyId) && !isCritical(leaf, extensionOids.subjectKeyId),
  'RFC 5280 4.2.1.2: it names its own key': ({ subjectKeyId, publicKey }) =>
    subjectKeyId === keyIdOfSpki(publicKey).toString('hex'),
  'BR 7.1.2.7.9: its policy says that domains were validated': ({ policies }) =>
    policies?.has(DOMAIN_VALIDATED) === true,
  'BR 7.1.2.11.2: its revocation list is at an http address, and not critical': (leaf) =>
    urisIn(leaf.parts.extensions.get(extensionOids.crlDistributionPoints)?.value).length === 1 &&
    !isCritical(leaf, extensionOids.crlDistributionPoints),
  'BR 7.1.2.7.7: its status is at an http address, and not critical': (leaf) =>
    urisIn(leaf.parts.extensions.get(extensionOids.authorityInfoAccess)?.value).length === 1 &&
    !isCritical(leaf, extensionOids.authorityInfoAccess),
  'RFC 5280 4.2: no critical extension is unknown': ({ unknownCritical }) => unknownCritical.length === 0,
  'X.690 11.5: what is not critical does not say so': ({ extensionParts }) =>
    extensionParts.every((each) => each.length === 2 || (each.length === 3 && each[1]!.content[0] === 0xff)),
  'RFC 5280 4.2.1.8: it has no unique identifiers': ({ fields }) =>
    !fields.some(({ tag }) => tag === 0x81 || tag === 0x82),
  'BR 7.1.3.2: it is not signed with SHA-1': ({ signatureOid }) => !SHA1_ALGORITHMS.has(signatureOid),
  'RFC 5758 3.2: the algorithm of ECDSA has no parameters': ({ fields }) => elements(fields[1]!.content).length === 1,
  'BR 6.1.5: the key is strong enough': ({ publicKey }, { isRsa }) => {
    const {
      modulusLength = 0,
      publicExponent = 0n,
      namedCurve = '',
    } = createPublicKey({
      key: publicKey,
      format: 'der',
      type: 'spki',
    }).asymmetricKeyDetails!
    if (!isRsa) return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve)
    return modulusLength >= 2048 && modulusLength % 8 === 0 && publicExponent > 65_536n && publicExponent % 2n === 1n
  },
  'RFC 3279 2.3.1: the algorithm of an RSA key has a NULL': ({ publicKey }, { isRsa }) =>
    !isRsa || elements(elements(only(publicKey, 0x30).content)[0]!.content)[1]!.whole.toString('hex') === '0500',
  'RFC 5480 2.2: a point is not compressed': ({ publicKey }, { isRsa }) =>
    isRsa || elements(only(publicKey, 0x30).content)[1]!.content[1] === 4,
  'RFC 8446 4.4.2.2: a TLS library finds each name': ({ node }, { names }) =>
    names.every((name) => node.checkHost(name.replace(/^\*/, 'any')) !== undefined),
  'it is signed by its authority': ({ node }, { issuer }) => {
    try {
      return node.verify(new X509Certificate(issuer.der).publicKey)
    } catch {
      // A key of a kind that Node.js does not know: ML-DSA.
      return false
    }
  },
}

/** The rules that a leaf breaks. Throws `DerError` for what is no certificate, has an extension twice, or two algorithms. */
export function brokenRules(der: Buffer, expected: Expected): readonly string[] {
  const parts = certificateParts(der)
  const [, ...fields] = elements(elements(only(der, 0x30).content)[0]!.content)
  const list = fields.find(({ tag }) => tag === 0xa3)!
  const extensionParts = elements(only(list.content, 0x30).content).map(({ content }) => elements(content))
  const leaf: Leaf = { ...pathCertificate(der), node: new X509Certificate(der), parts, fields, extensionParts }
  return Object.entries(LEAF_RULES).flatMap(([rule, isKept]) => (isKept(leaf, expected) ? [] : [rule]))
}

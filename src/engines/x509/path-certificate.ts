/**
 * A certificate as paths are validated by it (RFC 5280 §6.1): every member that the algorithm reads, parsed once. Pure.
 *
 * @example
 * const leaf = pathCertificate(new X509Certificate(pem).raw)
 */
import { createHash } from 'node:crypto'
import { DerError, type Element, elements, expectTag, only, readObjectId, readOctets } from './der-read.ts'
import { extensionOids, type KeyUsage, keyUsages } from './extensions.ts'
import { type GeneralName, generalNames } from './general-names.ts'
import { type NameConstraints, parseNameConstraints } from './name-constraints.ts'
import { comparableName } from './names.ts'

export interface PathCertificate {
  readonly der: Buffer
  /** SHA-256 of the whole, in hexadecimal. */
  readonly fingerprint: string
  /** See {@link comparableName}. */
  readonly subject: readonly string[]
  readonly issuer: readonly string[]
  readonly isSelfIssued: boolean
  /** Epoch milliseconds; the last one is still within. */
  readonly startsMs: number
  readonly endsMs: number
  /** DER SPKI. */
  readonly publicKey: Buffer
  readonly signatureOid: string
  /** `AlgorithmIdentifier`, DER, with its parameters. */
  readonly signatureAlgorithm: Buffer
  readonly signedBytes: Buffer
  readonly signature: Buffer
  readonly isAuthority: boolean
  readonly pathLength: number | undefined
  /** undefined: any. */
  readonly keyUsages: ReadonlySet<KeyUsage> | undefined
  /** Object identifiers; undefined: any. */
  readonly extendedKeyUsages: ReadonlySet<string> | undefined
  readonly names: readonly GeneralName[]
  readonly commonNames: readonly string[]
  readonly nameConstraints: NameConstraints | undefined
  /** undefined: none. */
  readonly policies: ReadonlySet<string> | undefined
  /** Of the issuer's domain → of the subject's. */
  readonly policyMappings: readonly (readonly [string, string])[]
  readonly requireExplicitPolicy: number | undefined
  readonly inhibitPolicyMapping: number | undefined
  readonly inhibitAnyPolicy: number | undefined
  readonly subjectKeyId: string | undefined
  readonly authorityKeyId: string | undefined
  /** Critical extensions that are not understood. */
  readonly unknownCritical: readonly string[]
}

const POLICY_MAPPINGS = '2.5.29.33'
const POLICY_CONSTRAINTS = '2.5.29.36'
const INHIBIT_ANY_POLICY = '2.5.29.54'
export const policyExtensionOids = { POLICY_MAPPINGS, POLICY_CONSTRAINTS, INHIBIT_ANY_POLICY } as const

const UNDERSTOOD: ReadonlySet<string> = new Set([
  extensionOids.basicConstraints,
  extensionOids.keyUsage,
  extensionOids.extendedKeyUsage,
  extensionOids.subjectAltName,
  extensionOids.nameConstraints,
  extensionOids.certificatePolicies,
  // Where lists are does not change what a path permits.
  extensionOids.crlDistributionPoints,
  POLICY_MAPPINGS,
  POLICY_CONSTRAINTS,
  INHIBIT_ANY_POLICY,
])

const LIST_MAX = 256
const COMMON_NAME = '2.5.4.3='

interface Extension {
  readonly critical: boolean
  readonly value: Buffer
}

/** Throws `DerError` for what is no certificate of version 3, or has an extension twice. */
export function pathCertificate(der: Buffer): PathCertificate {
  const [contents, algorithm, signature] = elements(only(der, 0x30).content, 3)
  const [version, , inner, issuer, validity, subject, publicKey, ...rest] = elements(
    expectTag(contents, 0x30).content,
    10,
  )
  if (only(expectTag(version, 0xa0).content, 0x02).content.toString('hex') !== '02')
    throw new DerError('another version')
  // RFC 5280 §4.1.1.2: the algorithm outside of what is signed has to be the one inside.
  if (!expectTag(inner, 0x30).whole.equals(expectTag(algorithm, 0x30).whole)) throw new DerError('two algorithms')
  const [startsMs, endsMs] = elements(expectTag(validity, 0x30).content, 2).map(readTime)
  const extensions = extensionsIn(rest.find(({ tag }) => tag === 0xa3))
  const value = (oid: string): Buffer | undefined => extensions.get(oid)?.value
  const names = comparableName(expectTag(subject, 0x30).whole)
  const issuers = comparableName(expectTag(issuer, 0x30).whole)
  const constrained = value(extensionOids.nameConstraints)
  return {
    der,
    fingerprint: createHash('sha256').update(der).digest('hex'),
    subject: names,
    issuer: issuers,
    isSelfIssued: nameKey(names) === nameKey(issuers),
    startsMs: startsMs!,
    endsMs: endsMs!,
    publicKey: Buffer.from(expectTag(publicKey, 0x30).whole),
    signatureOid: readObjectId(elements(algorithm!.content)[0]!),
    signatureAlgorithm: algorithm!.whole,
    signedBytes: contents!.whole,
    signature: readOctets(signature),
    ...basics(value(extensionOids.basicConstraints)),
    keyUsages: usagesIn(value(extensionOids.keyUsage)),
    extendedKeyUsages: idsIn(value(extensionOids.extendedKeyUsage)),
    names: orNone(value(extensionOids.subjectAltName), generalNames),
    commonNames: names.flatMap((part) => (part.startsWith(COMMON_NAME) ? [part.slice(COMMON_NAME.length)] : [])),
    nameConstraints: constrained && parseNameConstraints(constrained),
    policies: policiesIn(value(extensionOids.certificatePolicies)),
    policyMappings: orNone(value(POLICY_MAPPINGS), mappingsIn),
    ...policyConstraints(value(POLICY_CONSTRAINTS)),
    inhibitAnyPolicy: smallNumber(value(INHIBIT_ANY_POLICY)),
    ...keyIds(value(extensionOids.subjectKeyId), value(extensionOids.authorityKeyId)),
    unknownCritical: [...extensions].flatMap(([oid, { critical }]) => (critical && !UNDERSTOOD.has(oid) ? [oid] : [])),
  }
}

/** Of a {@link comparableName}: equal for equal names. */
export const nameKey = (parts: readonly string[]): string => parts.join('\n')

const orNone = <T>(value: Buffer | undefined, read: (value: Buffer) => readonly T[]): readonly T[] =>
  value ? read(value) : []

function extensionsIn(list: Element | undefined): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>()
  for (const each of list ? elements(only(list.content, 0x30).content, LIST_MAX) : []) {
    const parts = elements(expectTag(each, 0x30).content, 3)
    const oid = readObjectId(expectTag(parts[0], 0x06))
    if (found.has(oid)) throw new DerError(`the extension ${oid} occurs twice`)
    const critical = parts.length === 3 && expectTag(parts[1], 0x01).content[0] !== 0
    found.set(oid, { critical, value: expectTag(parts.at(-1), 0x04).content })
  }
  return found
}

function basics(value: Buffer | undefined): Pick<PathCertificate, 'isAuthority' | 'pathLength'> {
  const parts = value ? elements(only(value, 0x30).content, 2) : []
  const isAuthority = parts[0]?.tag === 0x01 && parts[0].content[0] !== 0
  return { isAuthority, pathLength: isAuthority && parts[1] ? smallNumber(parts[1].whole) : undefined }
}

/** Numbers that count certificates: what is larger than any path limits nothing. Throws for negative ones. */
function smallNumber(value: Buffer | undefined, tag = 0x02): number | undefined {
  if (!value) return undefined
  const { content } = only(value, tag)
  if (content.length === 0 || content[0]! >= 0x80) throw new DerError('a number that is negative or none')
  return content.length > 4 ? Number.MAX_SAFE_INTEGER : content.readUIntBE(0, content.length)
}

function usagesIn(value: Buffer | undefined): ReadonlySet<KeyUsage> | undefined {
  if (!value) return undefined
  const [, ...bytes] = only(value, 0x03).content
  return new Set(keyUsages.filter((_usage, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0))
}

const idsIn = (value: Buffer | undefined): ReadonlySet<string> | undefined =>
  value && new Set(elements(only(value, 0x30).content, LIST_MAX).map(readObjectId))

/** RFC 5280 §4.2.1.4: a policy must not occur twice. */
function policiesIn(value: Buffer | undefined): ReadonlySet<string> | undefined {
  if (!value) return undefined
  const all = elements(only(value, 0x30).content, LIST_MAX).map(({ content }) => readObjectId(elements(content, 2)[0]!))
  const policies = new Set(all)
  if (all.length === 0 || policies.size !== all.length) throw new DerError('a policy that occurs twice')
  return policies
}

const mappingsIn = (value: Buffer): PathCertificate['policyMappings'] =>
  elements(only(value, 0x30).content, LIST_MAX).map(({ content }) => {
    const [issuer, subject] = elements(content, 2)
    if (!issuer || !subject) throw new DerError('a mapping of policies that is none')
    return [readObjectId(issuer), readObjectId(subject)] as const
  })

function policyConstraints(
  value: Buffer | undefined,
): Pick<PathCertificate, 'requireExplicitPolicy' | 'inhibitPolicyMapping'> {
  const parts = value ? elements(only(value, 0x30).content, 2) : []
  const of = (tag: number) => smallNumber(parts.find((part) => part.tag === tag)?.whole, tag)
  return { requireExplicitPolicy: of(0x80), inhibitPolicyMapping: of(0x81) }
}

function keyIds(
  subject: Buffer | undefined,
  authority: Buffer | undefined,
): Pick<PathCertificate, 'subjectKeyId' | 'authorityKeyId'> {
  const named = authority && elements(only(authority, 0x30).content, 3).find(({ tag }) => tag === 0x80)
  return {
    subjectKeyId: subject && only(subject, 0x04).content.toString('hex'),
    authorityKeyId: named?.content.toString('hex'),
  }
}

/** UTCTime or GeneralizedTime in the one form that RFC 5280 §4.1.2.5 allows. */
function readTime({ tag, content }: Element): number {
  const text = content.toString('latin1')
  const digits = tag === 0x17 ? 12 : tag === 0x18 ? 14 : 0
  if (!new RegExp(`^\\d{${digits}}Z$`).test(text)) throw new DerError('a time that is not one of certificates')
  const full = tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text}` : text
  const [year, month, day, hour, minute, second] = [0, 4, 6, 8, 10, 12].map((at) =>
    full.slice(at, at === 0 ? 4 : at + 2),
  )
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(at)) throw new DerError('a time that there is not')
  return at
}

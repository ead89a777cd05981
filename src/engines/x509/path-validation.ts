/**
 * Validation of a certification path (RFC 5280 §6.1), from an anchor to the certificate of a server, client or authority. Pure: the
 * time comes from the caller; signatures are verified within a budget.
 *
 * Anchors are certificates, and what they limit holds (RFC 5937), as in OpenSSL and browsers. Three rules are those of TLS and not of
 * RFC 5280: a limited extended key usage of an authority limits what is below it, `anyExtendedKeyUsage` is no purpose, and a common
 * name counts as a host name where there is no alternative one. Revocation is not checked.
 *
 * @example
 * const result = await validatePath([leaf, issuing], root, { now, purpose: 'server' })
 * if (!result.isValid) result.problem // 'expired'
 */
import { createPublicKey, X509Certificate } from 'node:crypto'
import { extendedKeyUsages, type KeyUsage } from './extensions.ts'
import type { GeneralName } from './general-names.ts'
import { type Comparisons, ComparisonsError, isAllowed } from './name-constraints.ts'
import { nameKey, type PathCertificate } from './path-certificate.ts'
import { arePoliciesValid, type PolicyOptions } from './policies.ts'
import { signatureAlgorithmOf, verifySignature } from './signature-algorithms.ts'

export type PathProblem =
  | 'not-yet-valid'
  | 'expired'
  | 'critical-extension'
  | 'not-an-authority'
  | 'key-usage'
  | 'extended-key-usage'
  | 'path-length'
  | 'name-constraints'
  | 'policy'
  | 'issuer'
  | 'algorithm'
  | 'signature'
  | 'budget'

export interface PathOptions {
  /** Epoch milliseconds. */
  readonly now: number
  /** What the leaf is used for; default: anything. */
  readonly purpose?: 'server' | 'client'
  readonly policies?: PolicyOptions
  /** What may be spent; it is counted down, so that several paths can share one. */
  readonly budget?: PathBudget
}

export interface PathBudget extends Comparisons {
  signatures: number
}

/** A signature costs as much as thousands of comparisons. */
export const pathBudget = (): PathBudget => ({ signatures: 100, left: 250_000 })

export type PathResult =
  | { readonly isValid: true }
  /** `at`: the position of the certificate, from the leaf; that of the anchor is the last. */
  | { readonly isValid: false; readonly problem: PathProblem; readonly at: number }

const VALID: PathResult = { isValid: true }

/** `path`: from the leaf to the certificate that the anchor issued. */
export async function validatePath(
  path: readonly PathCertificate[],
  anchor: PathCertificate,
  options: PathOptions,
): Promise<PathResult> {
  const budget = options.budget ?? pathBudget()
  const contents = validateContents(path, anchor, { ...options, budget })
  if (!contents.isValid) return contents
  const issuers = [...path.slice(1), anchor]
  for (const [at, certificate] of path.entries()) {
    const problem = await signatureProblem(certificate, issuers[at]!, budget)
    if (problem) return { isValid: false, problem, at }
  }
  return VALID
}

/** Everything but the signatures. */
export function validateContents(
  path: readonly PathCertificate[],
  anchor: PathCertificate,
  { now, purpose, policies = {}, budget }: PathOptions & { readonly budget: PathBudget },
): PathResult {
  const all = [...path, anchor]
  const failed = (problem: PathProblem, at: number): PathResult => ({ isValid: false, problem, at })
  let below = 0
  for (const [at, certificate] of all.entries()) {
    const issuer = all[at + 1]
    if (issuer && nameKey(issuer.subject) !== nameKey(certificate.issuer)) return failed('issuer', at)
    const problem = ownProblem(certificate, now, purpose) ?? (at > 0 ? authorityProblem(certificate) : undefined)
    if (problem) return failed(problem, at)
    if (at === 0 && purpose && !hasUsage(certificate, LEAF_USAGES[purpose])) return failed('key-usage', at)
    if (at > 0 && certificate.pathLength !== undefined && below > certificate.pathLength)
      return failed('path-length', at)
    // The leaf itself is not counted, nor are certificates that a name issued to itself (RFC 5280 §4.2.1.9).
    if (at > 0 && !certificate.isSelfIssued) below++
  }
  try {
    for (const [at, certificate] of path.entries())
      if (!areNamesAllowed(certificate, at, all, budget)) return failed('name-constraints', at)
  } catch (error) {
    if (error instanceof ComparisonsError) return failed('budget', 0)
    throw error
  }
  return arePoliciesValid(path.toReversed(), policies) ? VALID : failed('policy', 0)
}

/** What a certificate says of itself, wherever it is in a path. */
export function ownProblem(
  { startsMs, endsMs, unknownCritical, extendedKeyUsages: usages }: PathCertificate,
  now: number,
  purpose: PathOptions['purpose'],
): PathProblem | undefined {
  if (now < startsMs) return 'not-yet-valid'
  // The last second is within.
  if (now >= endsMs + 1_000) return 'expired'
  if (unknownCritical.length > 0) return 'critical-extension'
  return purpose && usages && !usages.has(PURPOSES[purpose]) ? 'extended-key-usage' : undefined
}

export function authorityProblem(certificate: PathCertificate): PathProblem | undefined {
  if (!certificate.isAuthority) return 'not-an-authority'
  return hasUsage(certificate, ['keyCertSign']) ? undefined : 'key-usage'
}

const PURPOSES = { server: extendedKeyUsages.SERVER_AUTH, client: extendedKeyUsages.CLIENT_AUTH } as const

/** One of them is enough: RSA keys may encipher, others sign or agree. */
const LEAF_USAGES: Readonly<Record<keyof typeof PURPOSES, readonly KeyUsage[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
}

const hasUsage = ({ keyUsages }: PathCertificate, anyOf: readonly KeyUsage[]): boolean =>
  !keyUsages || anyOf.some((usage) => keyUsages.has(usage))

/** Every authority above limits the names: §6.1.3 (b) and (c). */
function areNamesAllowed(
  certificate: PathCertificate,
  at: number,
  all: readonly PathCertificate[],
  budget: PathBudget,
): boolean {
  // A name that issued to itself does not limit its own new key; the leaf is always checked.
  if (at > 0 && certificate.isSelfIssued) return true
  const limits = all.slice(at + 1).flatMap(({ nameConstraints }) => nameConstraints ?? [])
  if (limits.length === 0) return true
  const names = namesOf(certificate, at === 0)
  return limits.every((limit) => names.every((name) => isAllowed(limit, name, budget)))
}

const MAIL = '1.2.840.113549.1.9.1='
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/

function namesOf({ names, subject, commonNames }: PathCertificate, isLeaf: boolean): readonly GeneralName[] {
  const mails = subject.flatMap((part) =>
    part.startsWith(MAIL) ? [{ kind: 'email', text: decodeURI(part.slice(MAIL.length)) } as const] : [],
  )
  const hosts =
    isLeaf && !names.some(({ kind }) => kind === 'dns')
      ? commonNames.filter((text) => HOST.test(text)).map((text) => ({ kind: 'dns', text }) as const)
      : []
  return [...(subject.length > 0 ? [{ kind: 'directory', parts: subject } as const] : []), ...names, ...mails, ...hosts]
}

/** Whether the issuer's key signed it. Costs one of the budget's signatures. */
export async function signatureProblem(
  certificate: PathCertificate,
  { publicKey }: PathCertificate,
  budget: PathBudget,
): Promise<PathProblem | undefined> {
  const algorithm = signatureAlgorithmOf(certificate.signatureOid)
  if (!algorithm && !isVerifiedByNode(certificate)) return 'algorithm'
  if (budget.signatures <= 0) return 'budget'
  budget.signatures--
  const isSigned = algorithm
    ? await verifySignature(algorithm, publicKey, certificate.signedBytes, certificate.signature)
    : verifiedByNode(certificate, publicKey)
  return isSigned ? undefined : 'signature'
}

const RSA_PSS = '1.2.840.113549.1.1.10'
/** Ed25519 and Ed448 (RFC 8410). */
const EDWARDS: ReadonlySet<string> = new Set(['1.3.101.112', '1.3.101.113'])
/** `2.16.840.1.101.3.4.2`: SHA-2 and SHA-3. Without parameters PSS is with SHA-1 (RFC 4055 §3.1). */
const SHA2 = Buffer.from('6086480165030402', 'hex')

/** Algorithms that no authority here signs with, and others do. */
const isVerifiedByNode = ({ signatureOid, signatureAlgorithm }: PathCertificate): boolean =>
  EDWARDS.has(signatureOid) || (signatureOid === RSA_PSS && signatureAlgorithm.includes(SHA2))

function verifiedByNode({ der }: PathCertificate, publicKey: Buffer): boolean {
  try {
    return new X509Certificate(der).verify(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }))
  } catch {
    return false
  }
}

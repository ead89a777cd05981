/** Chains of certificates with any fault, for tests of paths: P-256 keys, names `CN=…`. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { buildCertificate } from './certificate-builder.ts'
import { boolean, context, integer, objectId, sequence } from './der.ts'
import {
  authorityKeyId,
  certificatePolicies,
  extendedKeyUsage,
  extension,
  extensionOids,
  type KeyUsage,
  keyIdOfSpki,
  keyUsage,
  subjectAltName,
  subjectKeyId,
} from './extensions.ts'
import { attributeOids, distinguishedName } from './names.ts'
import { type PathCertificate, pathCertificate, policyExtensionOids } from './path-certificate.ts'

export const NOW = Date.parse('2030-06-01T00:00:00Z')
const DAY_MS = 24 * 60 * 60 * 1000

export interface Pair {
  readonly privateKey: KeyObject
  /** DER SPKI. */
  readonly publicKey: Buffer
}

export function newPair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }) }
}

export interface Plan {
  readonly subject: string
  readonly issuer: string
  readonly pair: Pair
  readonly signer: Pair
  /** undefined: no basic constraints. */
  readonly isAuthority?: boolean | undefined
  readonly pathLength?: number | undefined
  readonly usages?: readonly KeyUsage[] | undefined
  readonly extended?: readonly string[] | undefined
  readonly names?: readonly string[] | undefined
  readonly permitted?: readonly string[] | undefined
  readonly excluded?: readonly string[] | undefined
  readonly policies?: readonly string[] | undefined
  readonly mappings?: readonly (readonly [string, string])[] | undefined
  readonly requireExplicit?: number | undefined
  readonly inhibitMapping?: number | undefined
  readonly inhibitAny?: number | undefined
  readonly startsMs?: number | undefined
  readonly endsMs?: number | undefined
  /** A critical extension that is not understood. */
  readonly hasUnknown?: boolean | undefined
  readonly isForged?: boolean | undefined
}

export const nameOf = (commonName: string): Buffer =>
  distinguishedName([{ oid: attributeOids.CommonName, value: commonName }])

const dnsTrees = (names: readonly string[]): readonly Buffer[] =>
  names.map((name) => sequence(context(2, false, Buffer.from(name))))
const number = (value: number) => integer(Buffer.from([value]))

export async function certify(plan: Plan): Promise<PathCertificate> {
  const { isAuthority, pathLength, permitted, excluded, requireExplicit, inhibitMapping, inhibitAny } = plan
  const { POLICY_MAPPINGS, POLICY_CONSTRAINTS, INHIBIT_ANY_POLICY } = policyExtensionOids
  const basic = [...(isAuthority ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [number(pathLength)])]
  const extensions = [
    isAuthority !== undefined && extension(extensionOids.basicConstraints, true, sequence(...basic)),
    plan.usages && keyUsage(...plan.usages),
    plan.extended && extendedKeyUsage(...plan.extended),
    plan.names && subjectAltName(plan.names),
    (permitted || excluded) &&
      extension(
        extensionOids.nameConstraints,
        true,
        sequence(
          ...(permitted ? [context(0, true, ...dnsTrees(permitted))] : []),
          ...(excluded ? [context(1, true, ...dnsTrees(excluded))] : []),
        ),
      ),
    plan.policies && certificatePolicies(...plan.policies),
    plan.mappings &&
      extension(
        POLICY_MAPPINGS,
        true,
        sequence(...plan.mappings.map(([from, to]) => sequence(objectId(from), objectId(to)))),
      ),
    (requireExplicit ?? inhibitMapping) !== undefined &&
      extension(
        POLICY_CONSTRAINTS,
        true,
        sequence(
          ...(requireExplicit === undefined ? [] : [context(0, false, Buffer.from([requireExplicit]))]),
          ...(inhibitMapping === undefined ? [] : [context(1, false, Buffer.from([inhibitMapping]))]),
        ),
      ),
    inhibitAny !== undefined && extension(INHIBIT_ANY_POLICY, true, number(inhibitAny)),
    plan.hasUnknown && extension('1.2.3.4.5', true, boolean(true)),
    subjectKeyId(plan.pair.publicKey),
    authorityKeyId(keyIdOfSpki(plan.signer.publicKey)),
  ]
  const der = await buildCertificate(
    {
      serial: Buffer.concat([Buffer.of(0x40), randomBytes(15)]),
      issuer: nameOf(plan.issuer),
      subject: nameOf(plan.subject),
      publicKey: plan.pair.publicKey,
      notBefore: new Date(plan.startsMs ?? NOW - DAY_MS),
      notAfter: new Date(plan.endsMs ?? NOW + DAY_MS),
      algorithm: 'SHA256WITHECDSA',
      extensions: extensions.filter((each): each is Buffer => Boolean(each)),
    },
    async (message) => sign('sha256', plan.isForged ? Buffer.from('another text') : message, plan.signer.privateKey),
  )
  return pathCertificate(der)
}

export const AUTHORITY = { isAuthority: true, usages: ['keyCertSign', 'cRLSign'] } as const satisfies Partial<Plan>

/** A hierarchy by name: `of` makes certificates, each name has one key. */
export function hierarchy() {
  const pairs = new Map<string, Pair>()
  const pairOf = (name: string): Pair => {
    const pair = pairs.get(name) ?? newPair()
    pairs.set(name, pair)
    return pair
  }
  const make = (subject: string, issuer: string, more: Partial<Plan>) =>
    certify({ subject, issuer, pair: pairOf(subject), signer: pairOf(issuer), ...more })
  return {
    pairOf,
    authority: (subject: string, issuer: string, more: Partial<Plan> = {}) =>
      make(subject, issuer, { ...AUTHORITY, ...more }),
    leaf: (issuer: string, more: Partial<Plan> = {}) =>
      make('leaf', issuer, { isAuthority: false, usages: ['digitalSignature'], names: ['www.corp.test'], ...more }),
  }
}

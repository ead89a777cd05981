/** Revocation: lists (CRL, RFC 5280 §5) and answers to status requests (OCSP, RFC 6960). Pure but for the signer. */
import { createHash } from 'node:crypto'
import { type Sign, signed } from './certificate-builder.ts'
import { bits, context, integer, objectId, octets, sequence, tagged, time } from './der.ts'
import { DerError, elements, expectTag, only, readObjectId } from './der-read.ts'
import { authorityKeyId, extension, extensionOids, keyIdOfSpki } from './extensions.ts'
import { algorithmIdentifier, type SignatureAlgorithm } from './signature-algorithms.ts'

/** RFC 5280 §5.3.1. */
export const crlReasons = {
  UNSPECIFIED: 0,
  KEY_COMPROMISE: 1,
  CERTIFICATE_AUTHORITY_COMPROMISE: 2,
  CA_COMPROMISE: 2,
  AFFILIATION_CHANGED: 3,
  SUPERSEDED: 4,
  SUPERCEDED: 4,
  CESSATION_OF_OPERATION: 5,
  CERTIFICATE_HOLD: 6,
  REMOVE_FROM_CRL: 8,
  PRIVILEGE_WITHDRAWN: 9,
  A_A_COMPROMISE: 10,
} as const
export type RevocationReason = keyof typeof crlReasons

export interface Revocation {
  /** Hexadecimal. */
  readonly serial: string
  readonly revokedAt: number
  readonly reason: RevocationReason
}

export interface Issuer {
  /** DER of the name. */
  readonly name: Buffer
  /** DER SPKI. */
  readonly publicKey: Buffer
  readonly algorithm: SignatureAlgorithm
}

const enumerated = (value: number): Buffer => tagged(0x0a, Buffer.from([value]))
const serialBytes = (hex: string): Buffer => Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')
/** RFC 5280 §5.3.1: a reason of 0 is left out. */
const reasonExtension = ({ reason }: Revocation): readonly Buffer[] =>
  crlReasons[reason] === 0 ? [] : [sequence(extension(extensionOids.crlReason, false, enumerated(crlReasons[reason])))]

/** DER of the list. `number` grows with each list. */
export function buildCrl(
  issuer: Issuer,
  revocations: readonly Revocation[],
  { number, thisUpdate, nextUpdate }: { readonly number: number; readonly thisUpdate: Date; readonly nextUpdate: Date },
  sign: Sign,
): Promise<Buffer> {
  const entries = revocations.map((each) =>
    sequence(integer(serialBytes(each.serial)), time(new Date(each.revokedAt)), ...reasonExtension(each)),
  )
  const toSign = sequence(
    integer(Buffer.from([1])),
    algorithmIdentifier(issuer.algorithm),
    issuer.name,
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    context(
      0,
      true,
      sequence(
        authorityKeyId(keyIdOfSpki(issuer.publicKey)),
        extension(extensionOids.crlNumber, false, integer(Buffer.from(number.toString(16).padStart(16, '0'), 'hex'))),
      ),
    ),
  )
  return signed(toSign, issuer.algorithm, sign)
}

/** The certificate whose status is requested. */
export interface CertificateId {
  /** DER of the whole CertID, repeated in the answer. */
  readonly whole: Buffer
  readonly hash: 'sha1' | 'sha256'
  readonly issuerNameHash: Buffer
  readonly issuerKeyHash: Buffer
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string
}

const HASHES: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
}
const NULL = Buffer.from([0x05, 0x00])
/** RFC 5019 §2.1.1: one certificate a request, so that its answer can be signed once for all clients. */
const IDS_MAX = 1

/** Throws `DerError`. */
export function parseStatusRequest(der: Buffer): CertificateId {
  const [contents] = elements(only(der, 0x30).content, 3)
  const list = elements(expectTag(contents, 0x30).content, 5).find(({ tag }) => tag === 0x30)
  const [request] = elements(expectTag(list, 0x30).content, IDS_MAX)
  const [id] = elements(expectTag(request, 0x30).content, 3)
  const [algorithm, nameHash, keyHash, serial] = elements(expectTag(id, 0x30).content, 5)
  const [hashId, parameters] = elements(expectTag(algorithm, 0x30).content, 2)
  const hash = HASHES[readObjectId(hashId!)]
  if (!hash) throw new DerError('a hash that is not supported')
  // One certificate has few spellings, because each one costs a signature.
  if (parameters && !parameters.whole.equals(NULL)) throw new DerError('a hash with parameters')
  const number = expectTag(serial, 0x02).content
  if (number.length > 1 && number[0] === 0 && number[1]! < 0x80) throw new DerError('a serial with leading zeros')
  return {
    whole: Buffer.from(id!.whole),
    hash,
    issuerNameHash: expectTag(nameHash, 0x04).content,
    issuerKeyHash: expectTag(keyHash, 0x04).content,
    serial: number.toString('hex').replace(/^0+(?=.)/, ''),
  }
}

/** Whether a CertID names a certificate of this issuer. */
export function isOfIssuer(id: CertificateId, issuer: Pick<Issuer, 'name' | 'publicKey'>): boolean {
  const [, key] = elements(only(issuer.publicKey, 0x30).content)
  const hash = (bytes: Uint8Array) => createHash(id.hash).update(bytes).digest()
  return hash(issuer.name).equals(id.issuerNameHash) && hash(key!.content.subarray(1)).equals(id.issuerKeyHash)
}

export type CertificateStatus = 'good' | Revocation

/** RFC 6960 §2.3. */
const ERRORS = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const
export const statusError = (error: keyof typeof ERRORS): Buffer => sequence(enumerated(ERRORS[error]))

/** Signed by the issuer itself. */
export async function buildStatusResponse(
  issuer: Issuer,
  id: Buffer,
  status: CertificateStatus,
  { producedAt, nextUpdate }: { readonly producedAt: Date; readonly nextUpdate: Date },
  sign: Sign,
): Promise<Buffer> {
  const response = sequence(
    id,
    statusValue(status),
    generalizedTime(producedAt),
    context(0, true, generalizedTime(nextUpdate)),
  )
  const toSign = sequence(
    context(2, true, octets(keyIdOfSpki(issuer.publicKey))),
    generalizedTime(producedAt),
    sequence(response),
  )
  const basic = sequence(toSign, algorithmIdentifier(issuer.algorithm), bits(await sign(toSign)))
  return sequence(enumerated(0), context(0, true, sequence(objectId('1.3.6.1.5.5.7.48.1.1'), octets(basic))))
}

function statusValue(status: CertificateStatus): Buffer {
  if (status === 'good') return context(0, false)
  const reason = crlReasons[status.reason]
  return context(
    1,
    true,
    generalizedTime(new Date(status.revokedAt)),
    ...(reason === 0 ? [] : [context(0, true, enumerated(reason))]),
  )
}

const generalizedTime = (at: Date): Buffer => tagged(0x18, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, '')))

/** What an answer said; `unauthorized`: the certificate is not one of the issuer. */
export type StatusResult = 'good' | 'revoked' | 'unauthorized' | 'malformed'

const ANSWERS_MAX = 10_000

interface SigningContext {
  /** Epoch milliseconds. */
  readonly now: number
  readonly sign: Sign
}

/**
 * Answers status requests as the lightweight profile has it (RFC 5019): an answer is signed once, and reused for the first half of its
 * time, so that clients get one that is valid for the other half. So answers repeat no nonce, and a certificate that the issuer does not
 * know gets an unsigned `unauthorized`. A revocation is another status, which is signed at once. Clients without credentials cannot cause
 * more signatures than there are certificates.
 */
export class StatusResponder {
  readonly #answers = new Map<string, { readonly madeAt: number; readonly answer: Promise<Buffer> }>()
  readonly #validMs: number

  /** `validMs`: from `thisUpdate` to `nextUpdate`. */
  constructor(validMs: number) {
    this.#validMs = validMs
  }

  /**
   * `find`: a certificate of the issuer by its serial, in lower-case hexadecimal without leading zeros; undefined for one
   * that it did not issue.
   */
  async answer(
    issuer: Issuer,
    request: Buffer,
    find: (serial: string) => Promise<{ readonly revocation?: Revocation | undefined } | undefined>,
    context: SigningContext,
  ): Promise<{ readonly answer: Buffer; readonly result: StatusResult }> {
    let id: CertificateId
    try {
      id = parseStatusRequest(request)
    } catch {
      return { answer: statusError('malformedRequest'), result: 'malformed' }
    }
    const found = isOfIssuer(id, issuer) ? await find(id.serial) : undefined
    if (!found) return { answer: statusError('unauthorized'), result: 'unauthorized' }
    const answer = await this.#signed(issuer, id, found.revocation ?? 'good', context)
    return { answer, result: found.revocation ? 'revoked' : 'good' }
  }

  async #signed(
    issuer: Issuer,
    id: CertificateId,
    status: CertificateStatus,
    { now, sign }: SigningContext,
  ): Promise<Buffer> {
    const key = `${id.whole.toString('base64')} ${status === 'good' ? '' : `${status.revokedAt} ${status.reason}`}`
    const known = this.#answers.get(key)
    if (known && now >= known.madeAt && now < known.madeAt + this.#validMs / 2) {
      // The answer that was requested last is dropped last.
      this.#answers.delete(key)
      this.#answers.set(key, known)
      return known.answer
    }
    const times = { producedAt: new Date(now), nextUpdate: new Date(now + this.#validMs) }
    const answer = buildStatusResponse(issuer, id.whole, status, times, sign)
    this.#remember(key, now, answer)
    answer.catch(() => this.#forget(key, answer))
    return answer
  }

  /** A later answer of the same certificate stays. */
  #forget(key: string, answer: Promise<Buffer>): void {
    if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key)
  }

  #remember(key: string, madeAt: number, answer: Promise<Buffer>): void {
    this.#answers.delete(key)
    this.#answers.set(key, { madeAt, answer })
    if (this.#answers.size > ANSWERS_MAX) this.#answers.delete(this.#answers.keys().next().value!)
  }
}

/** One signature a minute, however often a list is fetched. Keyed by an object that represents the issuer's state. */
export class RevocationLists<K extends object> {
  readonly #lists = new WeakMap<K, { readonly madeAt: number; readonly list: Promise<Buffer> }>()
  readonly #keptMs: number

  constructor(keptMs: number) {
    this.#keptMs = keptMs
  }

  get(issuer: K, now: number, build: () => Promise<Buffer>): Promise<Buffer> {
    const found = this.#lists.get(issuer)
    if (found && now >= found.madeAt && now < found.madeAt + this.#keptMs) return found.list
    const list = build()
    this.#lists.set(issuer, { madeAt: now, list })
    list.catch(() => this.#lists.delete(issuer))
    return list
  }
}

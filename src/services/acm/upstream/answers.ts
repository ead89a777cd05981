/**
 * What another authority answers, read as untrusted: of the right shape, of a bounded length, and about the names that were ordered.
 * Everything else is an {@link AcmeProblemError}, so that the order fails and is repeated later and later.
 */
import type { CertificateRow } from '../resources.ts'

const ADDRESS_LENGTH_MAX = 2_048
const CHALLENGES_MAX = 32
const DETAIL_LENGTH_MAX = 300

/** The authority refused, or answered what it should not. `type` is the last part of the problem's URN. */
export class AcmeProblemError extends Error {
  override readonly name = 'AcmeProblemError'
  readonly type: string

  constructor(type: string, detail: string) {
    super(detail)
    this.type = type
  }
}

export interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
  readonly renewalInfo?: string
}

export interface Problem {
  readonly type?: unknown
  readonly detail?: unknown
}

export interface Order {
  readonly status: string
  readonly finalize: string
  readonly authorizations: readonly string[]
  readonly certificate?: string
  readonly error?: Problem
}

export interface Authorization {
  readonly status: string
  /** A name of the order in lower case, without an asterisk. */
  readonly name: string
  readonly challenges: readonly Challenge[]
}

export interface Challenge {
  readonly type: string
  readonly url: string
  readonly token: string
  readonly error?: Problem
}

type Members = Readonly<Record<string, unknown>>

const malformed = (what: string): AcmeProblemError => new AcmeProblemError('malformed', `it answered ${what}`)

/** Text of another server for people: cut, and without control characters. */
export const cleanText = (text: unknown): string =>
  String(text ?? '')
    .slice(0, DETAIL_LENGTH_MAX)
    .replace(/\p{C}/gu, ' ')

export const problemOf = ({ type, detail }: Problem): AcmeProblemError =>
  new AcmeProblemError(
    String(type ?? '')
      .slice(0, 256)
      .replace(/^.*:/, '')
      .slice(0, 64),
    cleanText(detail),
  )

function members(json: unknown, what: string): Members {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed(`no ${what}`)
  return json as Members
}

/** An address that is stored and requested; its origin is checked when it is. */
function address(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '' || value.length > ADDRESS_LENGTH_MAX || !URL.canParse(value))
    throw malformed(`${what} without an address`)
  return value
}

export function readDirectory(json: unknown): Directory {
  const { newNonce, newAccount, newOrder, renewalInfo } = members(json, 'directory')
  return {
    newNonce: address(newNonce, 'a directory'),
    newAccount: address(newAccount, 'a directory'),
    newOrder: address(newOrder, 'a directory'),
    ...(renewalInfo !== undefined && { renewalInfo: address(renewalInfo, 'renewal information') }),
  }
}

/** The address of what was created: an account, an order. */
export const readLocation = (location: string | undefined, what: string): string => address(location, what)

/** With at most one authorization for each name. */
export function readOrder(json: unknown, { names }: Pick<CertificateRow, 'names'>): Order {
  const { status, finalize, authorizations, certificate, error } = members(json, 'order')
  if (!Array.isArray(authorizations) || authorizations.length > names.length)
    throw malformed('an order with other authorizations than it has names')
  return {
    status: cleanText(status),
    finalize: address(finalize, 'an order'),
    authorizations: authorizations.map((each) => address(each, 'an authorization')),
    ...(certificate !== undefined && { certificate: address(certificate, 'a certificate') }),
    ...(typeof error === 'object' && error !== null && { error }),
  }
}

/** An authority that has other names proved would get records published that were never ordered. */
export function readAuthorization(json: unknown, { names }: Pick<CertificateRow, 'names'>): Authorization {
  const { status, identifier, challenges } = members(json, 'authorization')
  const name = String(members(identifier, 'identifier')['value']).toLowerCase()
  if (!names.some((each) => each.replace(/^\*\./, '') === name))
    throw malformed('an authorization for a name that was not ordered')
  const listed = Array.isArray(challenges) ? challenges.slice(0, CHALLENGES_MAX) : []
  return { status: cleanText(status), name, challenges: listed.flatMap((each) => readChallenge(each) ?? []) }
}

/** Of a type that is not known, a challenge may have any members: it is left out. */
function readChallenge(json: unknown): Challenge | undefined {
  const { type, url, token, error } = members(json, 'challenge')
  if (typeof type !== 'string' || typeof token !== 'string') return undefined
  return {
    type,
    url: address(url, 'a challenge'),
    token,
    ...(typeof error === 'object' && error !== null && { error }),
  }
}

/**
 * Certificates from another authority by ACME (RFC 8555 §7.4). One turn of the certificate's lifecycle is one step: the order, the
 * challenges once they are published, the signing request, the certificate. Where the authority is at is read from the order
 * itself, so that a step that is repeated does no harm.
 */
import { createPublicKey, X509Certificate } from 'node:crypto'
import type { FailureReason } from '@aws-sdk/client-acm'
import { parseChain } from '../../../engines/x509/certificate.ts'
import { pemBlocks } from '../../../engines/x509/pem.ts'
import type { StepResult } from '../../../kernel/jobs/lifecycle.ts'
import { type AcmeAuthoritySettings, acmeAuthority } from '../../../kernel/ports/acme-authority.ts'
import type { JobContext } from '../../../kernel/service/service.ts'
import { makeKeyPair, openSealedKey, sealKey, spkiOf } from '../private-keys.ts'
import type { CertificateRow, CertificateState, Material } from '../resources.ts'
import { signingRequest } from '../signing-requests.ts'
import { readUpstreamAccount } from './account.ts'
import { type Authorization, chosenChallenge } from './challenges.ts'
import { AcmeClient, AcmeProblemError, problemOf } from './client.ts'
import { renewalIdOf } from './renewal-information.ts'
import { ORDER_KEY, type UpstreamChallenge, type UpstreamOrder } from './state.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** An order that has not come to an end by then is given up. */
const ORDER_MS = HOUR_MS
const ATTEMPTS_MAX = 5
/** How long an authority is left alone that could not be reached. */
const AWAY_MS = 10 * SECOND_MS
const RETRY_MS_MAX = 6 * HOUR_MS
const CHAIN_MAX = 10

type Result = StepResult<CertificateState, CertificateRow>

interface Order {
  readonly status: string
  readonly finalize: string
  readonly authorizations: readonly string[]
  readonly certificate?: string
  readonly error?: { readonly type?: unknown; readonly detail?: unknown }
}

/** The other authority that issues for an account; undefined where this installation does. */
export const upstreamOf = (
  { use }: Pick<JobContext, 'use'>,
  { account }: Pick<CertificateRow, 'account'>,
): AcmeAuthoritySettings | undefined => use(acmeAuthority).settings(account)

/** Milliseconds to the next step, often at first, since an authority validates within seconds; undefined while none is planned. */
export function upstreamEveryMs({ upstream }: CertificateRow, now: number): number | undefined {
  if (!upstream) return undefined
  const { order, retryAt = now } = upstream
  if (!order) return Math.max(SECOND_MS, retryAt - now)
  return Math.min(MINUTE_MS, Math.max(SECOND_MS, (now - order.startedAt) / 10))
}

/** `note`: a sentence for the administrator. Never throws for what the authority answers. */
export async function obtain(
  work: JobContext,
  row: CertificateRow,
  settings: AcmeAuthoritySettings,
): Promise<{ readonly result: Result; readonly note: string }> {
  const { host } = new URL(settings.directory)
  const account = await readUpstreamAccount(work.reader, settings.directory)
  const { upstream } = row
  // The turn makes the account's key.
  if (!upstream || !account)
    return { result: { row: { upstream: upstream ?? { attempts: 0 } } }, note: `to be ordered from ${host}` }
  if (upstream.retryAt !== undefined && work.now < upstream.retryAt) return { result: {}, note: noteOf(row, host) }
  const client = new AcmeClient({
    port: work.use(acmeAuthority),
    settings,
    vault: work.vault,
    account,
    now: work.now,
  })
  try {
    if (!upstream.order) return await begin(work, row, client, host)
    return await advance(work, row, upstream.order, client, host)
  } catch (error) {
    if (error instanceof AcmeProblemError && error.type !== 'badNonce') {
      const isLost = upstream.order === undefined || !TRANSIENT.has(error.type)
      return isLost ? failed(work, row, error, host) : { result: {}, note: `${host} is busy: ${error.message}` }
    }
    const note = `${host} did not answer as it should: ${(error as Error).message}`
    return { result: { row: { upstream: { ...upstream, retryAt: work.now + AWAY_MS } } }, note }
  }
}

const noteOf = ({ proofs }: CertificateRow, host: string): string => proofs[0]?.finding ?? `to be ordered from ${host}`

async function begin(work: JobContext, row: CertificateRow, client: AcmeClient, host: string) {
  const { newOrder, renewalInfo } = await client.directory()
  const identifiers = row.names.map((value) => ({ type: 'dns', value }))
  const replaces = renewalInfo !== undefined && row.material?.upstream ? renewalIdOf(row.material) : undefined
  const { json: order, headers } = await client
    .post<Order>(newOrder, { identifiers, ...(replaces !== undefined && { replaces }) })
    .catch((error: unknown) => {
      // RFC 9773 §5: an authority may refuse an order for the certificate that it names.
      const isOfOrder = error instanceof AcmeProblemError && ['alreadyReplaced', 'malformed'].includes(error.type)
      if (replaces === undefined || !isOfOrder) throw error
      return client.post<Order>(newOrder, { identifiers })
    })
  const url = headers['location']
  if (!url) throw new AcmeProblemError('malformed', 'The order has no address.')
  const challenges: UpstreamChallenge[] = []
  for (const each of order.authorizations) {
    const { json: authorization } = await client.post<Authorization>(each)
    if (authorization.status === 'valid') continue
    const chosen = await chosenChallenge(work, row, authorization, client.thumbprint)
    if (!chosen)
      throw new AcmeProblemError(
        'rejectedIdentifier',
        `it offers no challenge for ${authorization.identifier.value} that can be met: host its zone in the account for dns-01`,
      )
    challenges.push(chosen)
  }
  const { privateKey } = await makeKeyPair(row.keyAlgorithm)
  const begun: UpstreamOrder = {
    url,
    finalize: order.finalize,
    challenges,
    privateKey: sealKey(work.vault, row, ORDER_KEY, privateKey),
    startedAt: work.now,
  }
  const kinds = [...new Set(challenges.map(({ type }) => type))].join(' and ')
  return {
    result: { row: { upstream: { attempts: row.upstream?.attempts ?? 0, order: begun } } } satisfies Result,
    note: `ordered from ${host}${kinds && `, to be proved by ${kinds}`}`,
  }
}

async function advance(work: JobContext, row: CertificateRow, order: UpstreamOrder, client: AcmeClient, host: string) {
  const waiting = (note: string) => ({ result: {} satisfies Result, note: `${host} ${note}` })
  if (!order.isAnswered) {
    for (const { url } of order.challenges) await client.post(url, {})
    const answered: UpstreamOrder = { ...order, isAnswered: true }
    return {
      result: { row: { upstream: { attempts: row.upstream!.attempts, order: answered } } } satisfies Result,
      note: `${host} validates the names`,
    }
  }
  const { json: current } = await client.post<Order>(order.url)
  switch (current.status) {
    case 'ready': {
      const pair = { privateKey: keyOf(work, row, order), publicKey: spkiOf(keyOf(work, row, order)) }
      const csr = await signingRequest(row.names, row.keyAlgorithm, pair)
      await client.post(order.finalize, { csr: csr.toString('base64url') })
      return waiting('issues the certificate')
    }
    case 'valid':
      return { result: await fetched(work, row, order, client, current), note: `issued by ${host}` }
    case 'invalid':
      throw await reasonOf(client, current)
    default:
      if (work.now - order.startedAt > ORDER_MS)
        throw new AcmeProblemError('orderTimedOut', 'the order came to no end in an hour')
      return waiting(current.status === 'processing' ? 'issues the certificate' : 'validates the names')
  }
}

const keyOf = ({ vault }: JobContext, row: CertificateRow, { privateKey }: UpstreamOrder) =>
  openSealedKey(vault, row, ORDER_KEY, privateKey)

/** Of the authorization that failed, since the order seldom says why. */
async function reasonOf(client: AcmeClient, order: Order): Promise<AcmeProblemError> {
  for (const url of order.authorizations) {
    const { json } = await client.post<Authorization>(url)
    const error = json.status === 'invalid' ? json.challenges.find((each) => each.error)?.error : undefined
    if (error) return problemOf({ ...error, detail: `${json.identifier.value}: ${String(error.detail)}` })
  }
  return problemOf(order.error ?? { detail: 'the order is invalid' })
}

async function fetched(
  work: JobContext,
  row: CertificateRow,
  order: UpstreamOrder,
  client: AcmeClient,
  { certificate }: Order,
): Promise<Result> {
  const { text } = await client.post<never>(certificate ?? '')
  const material = materialOf(work, row, order, text)
  const issued = row.material ? { renewedAt: work.now } : { issuedAt: work.now }
  return { to: 'ISSUED', row: { material, upstream: undefined, ...issued } }
}

/** Throws an {@link AcmeProblemError} for what is not the certificate that was ordered. */
function materialOf(work: JobContext, row: CertificateRow, order: UpstreamOrder, text: string): Material {
  const wrong = (why: string) => new AcmeProblemError('malformed', `the certificate it sent ${why}`)
  const [pem, ...above] = pemBlocks(text, 'CERTIFICATE')
  if (!pem || above.length === 0 || above.length > CHAIN_MAX) throw wrong('has no chain')
  const chain = above.map((each) => `${each.trim()}\n`).join('')
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(pem)
    parseChain(leaf, chain)
  } catch {
    throw wrong('does not fit its chain')
  }
  const privateKey = keyOf(work, row, order)
  if (!createPublicKey(privateKey).equals(leaf.publicKey)) throw wrong('is for another key')
  const missing = row.names.find((name) => !isNamed(leaf, name))
  if (missing !== undefined) throw wrong(`does not name ${missing}`)
  return {
    pem: `${pem.trim()}\n`,
    chain,
    serial: leaf.serialNumber,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    privateKey: sealKey(work.vault, row, leaf.serialNumber, privateKey),
    upstream: { directory: upstreamOf(work, row)!.directory },
  }
}

const isNamed = ({ subjectAltName = '' }: X509Certificate, name: string): boolean =>
  subjectAltName.toLowerCase().split(', ').includes(`dns:${name}`)

/** The order goes on at the next turn. */
const TRANSIENT: ReadonlySet<string> = new Set(['rateLimited', 'serverInternal', ''])
const FAILURES: Readonly<Record<string, FailureReason>> = { caa: 'CAA_ERROR', rejectedIdentifier: 'DOMAIN_NOT_ALLOWED' }

/** Later again, each time later; a first issuance ends after some attempts. */
function failed({ now }: JobContext, row: CertificateRow, error: AcmeProblemError, host: string) {
  const attempts = (row.upstream?.attempts ?? 0) + 1
  const retryAt = now + Math.min(RETRY_MS_MAX, 2 ** attempts * MINUTE_MS)
  const note = `${host} refused: ${error.message}`
  const upstream = { attempts, retryAt }
  const isFinal = FAILURES[error.type] !== undefined || (attempts >= ATTEMPTS_MAX && !TRANSIENT.has(error.type))
  if (!isFinal) return { result: { row: { upstream } } satisfies Result, note }
  const failure = FAILURES[error.type] ?? 'OTHER'
  return { result: { to: 'FAILED', row: { upstream, failure } } satisfies Result, note }
}

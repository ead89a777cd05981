/**
 * Certificates from another authority by ACME (RFC 8555 §7.4). One turn of the certificate's lifecycle is one step: the order, the
 * challenges once they are published, the signing request, the certificate. Where the authority is at is read from the order
 * itself, so that a step that is repeated does no harm.
 */
import type { StepResult } from '../../../kernel/jobs/lifecycle.ts'
import { type AcmeAuthoritySettings, acmeAuthority } from '../../../kernel/ports/acme-authority.ts'
import type { JobContext } from '../../../kernel/service/service.ts'
import { makeKeyPair, openSealedKey, sealKey, spkiOf } from '../private-keys.ts'
import type { CertificateRow, CertificateState } from '../resources.ts'
import { signingRequest } from '../signing-requests.ts'
import { readUpstreamAccount } from './account.ts'
import {
  AcmeProblemError,
  cleanText,
  type Order,
  problemOf,
  readAuthorization,
  readLocation,
  readOrder,
} from './answers.ts'
import { chosenChallenge } from './challenges.ts'
import { AcmeClient } from './client.ts'
import { readReceived } from './received-certificate.ts'
import { renewalIdOf } from './renewal-information.ts'
import { isOverdue, refused, silent, TRANSIENT } from './retries.ts'
import { ORDER_KEY, type UpstreamChallenge, type UpstreamOrder, type UpstreamState } from './state.ts'

type Result = StepResult<CertificateState, CertificateRow>
interface Step {
  readonly result: Result
  /** A sentence for the administrator. */
  readonly note: string
}

/** The other authority that issues for an account; undefined where this installation does. */
export const upstreamOf = (
  { use }: Pick<JobContext, 'use'>,
  { account }: Pick<CertificateRow, 'account'>,
): AcmeAuthoritySettings | undefined => use(acmeAuthority).settings(account)

/** Never throws for what the authority answers. */
export async function obtain(work: JobContext, row: CertificateRow, settings: AcmeAuthoritySettings): Promise<Step> {
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
  const { order } = upstream
  try {
    const step = order ? await advance(work, row, order, client, host) : await begin(work, row, client, host)
    return step.result.row?.upstream || step.result.to ? step : { ...step, result: heard(upstream) }
  } catch (error) {
    const isLate = order !== undefined && isOverdue(order, work.now)
    if (error instanceof AcmeProblemError && error.type !== 'badNonce') {
      const isLost = !order || isLate || !TRANSIENT.has(error.type)
      if (!isLost) return { result: heard(upstream), note: `${host} is busy: ${error.message}` }
      return { result: refused(row, error, work.now), note: `${host} refused: ${error.message}` }
    }
    const note = `${host} did not answer as it should: ${cleanText((error as Error).message)}`
    if (isLate) return { result: refused(row, new AcmeProblemError('orderTimedOut', note), work.now), note }
    return { result: { row: { upstream: silent(upstream, work.now) } }, note }
  }
}

/** The authority answered: it counts as silent no longer. */
function heard(upstream: UpstreamState): Result {
  if (upstream.silences === undefined) return {}
  const { silences: _, retryAt: __, ...rest } = upstream
  return { row: { upstream: rest } }
}

const noteOf = ({ proofs }: CertificateRow, host: string): string => proofs[0]?.finding ?? `to be ordered from ${host}`

async function begin(work: JobContext, row: CertificateRow, client: AcmeClient, host: string): Promise<Step> {
  const { newOrder, renewalInfo } = await client.directory()
  const identifiers = row.names.map((value) => ({ type: 'dns', value }))
  const replaces = renewalInfo !== undefined && row.material?.upstream ? renewalIdOf(row.material) : undefined
  const { json, headers } = await client
    .post(newOrder, { identifiers, ...(replaces !== undefined && { replaces }) })
    .catch((error: unknown) => {
      // RFC 9773 §5: an authority may refuse an order for the certificate that it names.
      const isOfOrder = error instanceof AcmeProblemError && ['alreadyReplaced', 'malformed'].includes(error.type)
      if (replaces === undefined || !isOfOrder) throw error
      return client.post(newOrder, { identifiers })
    })
  const order = readOrder(json, row)
  const url = readLocation(headers['location'], 'an order')
  const challenges: UpstreamChallenge[] = []
  for (const each of order.authorizations) {
    const authorization = readAuthorization((await client.post(each)).json, row)
    if (authorization.status === 'valid') continue
    const chosen = await chosenChallenge(work, row, authorization, client.thumbprint)
    if (!chosen)
      throw new AcmeProblemError(
        'rejectedIdentifier',
        `it offers no challenge for ${authorization.name} that can be met: host its zone in the account for dns-01`,
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
    result: { row: { upstream: { attempts: row.upstream?.attempts ?? 0, order: begun } } },
    note: `ordered from ${host}${kinds && `, to be proved by ${kinds}`}`,
  }
}

async function advance(
  work: JobContext,
  row: CertificateRow,
  order: UpstreamOrder,
  client: AcmeClient,
  host: string,
): Promise<Step> {
  const waiting = (note: string): Step => ({ result: {}, note: `${host} ${note}` })
  if (!order.isAnswered) {
    for (const { url } of order.challenges) await client.post(url, {})
    const answered: UpstreamOrder = { ...order, isAnswered: true }
    return {
      result: { row: { upstream: { attempts: row.upstream!.attempts, order: answered } } },
      note: `${host} validates the names`,
    }
  }
  const current = readOrder((await client.post(order.url)).json, row)
  if (current.status === 'valid')
    return { result: await fetched(work, row, order, client, current), note: `issued by ${host}` }
  if (current.status === 'invalid') throw await reasonOf(client, current, row)
  // Whatever it says to be doing: an authority could say so forever.
  if (isOverdue(order, work.now)) throw new AcmeProblemError('orderTimedOut', 'the order came to no end in an hour')
  if (current.status !== 'ready')
    return waiting(current.status === 'processing' ? 'issues the certificate' : 'validates the names')
  const privateKey = keyOf(work, row, order)
  const csr = await signingRequest(row.names, row.keyAlgorithm, { privateKey, publicKey: spkiOf(privateKey) })
  await client.post(order.finalize, { csr: csr.toString('base64url') })
  return waiting('issues the certificate')
}

const keyOf = ({ vault }: JobContext, row: CertificateRow, { privateKey }: UpstreamOrder) =>
  openSealedKey(vault, row, ORDER_KEY, privateKey)

/** Of the authorization that failed, since the order seldom says why. */
async function reasonOf(client: AcmeClient, order: Order, row: CertificateRow): Promise<AcmeProblemError> {
  for (const url of order.authorizations) {
    const { status, name, challenges } = readAuthorization((await client.post(url)).json, row)
    const error = status === 'invalid' ? challenges.find((each) => each.error)?.error : undefined
    if (error) return problemOf({ ...error, detail: `${name}: ${cleanText(error.detail)}` })
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
  if (certificate === undefined)
    throw new AcmeProblemError('malformed', 'it answered a valid order without a certificate')
  const { text } = await client.post(certificate)
  const privateKey = keyOf(work, row, order)
  const received = await readReceived(text, row, privateKey, work.now)
  const material = {
    ...received,
    privateKey: sealKey(work.vault, row, received.serial, privateKey),
    upstream: { directory: upstreamOf(work, row)!.directory },
  }
  const issued = row.material ? { renewedAt: work.now } : { issuedAt: work.now }
  return { to: 'ISSUED', row: { material, upstream: undefined, ...issued } }
}

/** Signing in at a SAML identity provider, and out again: the requests that are sent, and the answers that count. */
import { createHash, randomUUID } from 'node:crypto'
import { authnRequest, logoutRequest, redirectAddress, type SignedInSubject } from '../../../engines/saml/redirect.ts'
import { spend } from '../../../kernel/jobs/expiring-row.ts'
import type { WebCall } from '../../../kernel/web/site.ts'
import { openDetails, type ProviderRow, requireProvider } from '../providers.ts'
import { at, type PoolRow } from '../resources.ts'
import { currentMetadata, signerOf } from '../saml-provider.ts'
import type { UserRow } from '../user-rows.ts'
import { badRequest } from './authorization-request.ts'
import { federatedUser } from './federated-user.ts'

/** In documents that wait: never change it. */
export const FORGET_ASSERTION = 'cognito-idp.forget-assertion'
const REQUEST_MS = 10 * 60_000
const TICKET_MS = 2 * 60_000
/** Longer than clocks may differ. */
const FORGET_MS = 15 * 60_000

/** Sealed into what travels with the browser. Names of members are in sign-ins that wait. */
interface Pending {
  readonly id: string
  readonly pool: string
  readonly provider: string
  /** The authorization request of the app. */
  readonly query: string
  /** Of the browser that began: another's answer is refused. */
  readonly csrf: string
  /** Epoch milliseconds. */
  readonly endsAt: number
}

/** What an answer has proved, until the browser that began comes for it. */
export interface Proved extends Pending {
  readonly sub: string
  readonly subject: SignedInSubject
}

type Binding = 'saml request' | 'saml answer' | 'saml sign-out'

const sealed = (call: Pick<WebCall, 'vault'>, binding: Binding, content: object): string =>
  call.vault.issue('user-pool', binding, Buffer.from(JSON.stringify(content)))

function opened<T extends { readonly pool: string; readonly endsAt: number }>(
  call: Pick<WebCall, 'vault' | 'now'>,
  binding: Binding,
  pool: PoolRow,
  text: string | undefined,
): T | undefined {
  const found = text ? call.vault.redeem('user-pool', binding, text) : undefined
  const content = found && (JSON.parse(found.toString('utf8')) as T)
  return content?.pool === pool.id && content.endsAt > call.now ? content : undefined
}

const newId = (): string => `_${randomUUID()}`

/** As AWS names pools: the audience of assertions. */
const entityOf = (pool: PoolRow): string => `urn:amazon:cognito:sp:${pool.id}`

/** Where to send the browser. `acs` receives the answer. */
export async function beginSaml(
  call: WebCall<unknown>,
  pool: PoolRow,
  row: ProviderRow,
  of: { readonly acs: string; readonly query: string; readonly csrf: string },
): Promise<string> {
  const metadata = await currentMetadata(call, row.details, row.saml)
  if (metadata !== row.saml) call.unit.put(at.provider(pool.id, row.name), { ...row, saml: metadata })
  const { query, csrf } = of
  const pending: Pending = {
    id: newId(),
    pool: pool.id,
    provider: row.name,
    query,
    csrf,
    endsAt: call.now + REQUEST_MS,
  }
  const destination = metadata.signOnByRedirect!
  const xml = authnRequest({ id: pending.id, issuer: entityOf(pool), destination, now: call.now, acs: of.acs })
  const signer = row.details['RequestSigningAlgorithm'] === 'rsa-sha256' ? await signerOf(call, pool) : undefined
  return redirectAddress(destination, xml, sealed(call, 'saml request', pending), signer)
}

/**
 * Verifies a posted answer, and makes the person a user. Browsers send no cookie with a form of another site, so the answer
 * becomes a ticket, which counts in the browser that began alone.
 */
export async function receiveSaml(
  call: WebCall<unknown>,
  pool: PoolRow,
  acs: string,
  form: Readonly<Record<string, string>>,
  clientIdOf: (query: string) => string,
): Promise<string> {
  const pending = opened<Pending>(call, 'saml request', pool, form['RelayState'])
  if (!pending) throw badRequest('The sign-in was not begun here, or has expired. Start again at the app.')
  const row = await requireProvider(call.unit, pool, pending.provider)
  if (!row.saml) throw badRequest('The identity provider is not one of SAML any more.')
  // XML signatures are much code, which few servers ever need.
  const { readSamlResponse } = await import('../../../engines/saml/response.ts')
  let identity: ReturnType<typeof readSamlResponse>
  try {
    identity = readSamlResponse(
      form['SAMLResponse'] ?? '',
      { ...row.saml, validUntil: row.saml.validUntil ?? Number.POSITIVE_INFINITY },
      { now: call.now, audience: entityOf(pool), isRecipient: (url) => url === acs },
    )
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SamlRefusal')) throw error
    throw badRequest(`Signing in at ${row.name} failed: ${error.message}`)
  }
  if (identity.inResponseTo !== pending.id) throw badRequest('The answer is to another request.')
  const hash = createHash('sha256')
    .update(JSON.stringify([identity.issuer, identity.id]))
    .digest('hex')
  const expiry = { until: Math.max(identity.endsAt, pending.endsAt) + FORGET_MS, kind: FORGET_ASSERTION }
  for (const id of [hash, pending.id])
    if (!(await spend(call.unit, at.part(pool.id, 'saml-assertion', id), expiry)))
      throw badRequest('The answer has been used already.')
  const user: UserRow = await federatedUser(call, pool, row, {
    subject: identity.subject,
    claims: Object.fromEntries([...identity.attributes].map(([name, values]) => [name, claimOf(values)])),
    issuer: identity.issuer,
    clientId: clientIdOf(pending.query),
  })
  const subject = { value: identity.subject, format: identity.subjectFormat, sessionIndex: identity.sessionIndex }
  const proved: Proved = { ...pending, id: newId(), sub: user.sub, subject, endsAt: call.now + TICKET_MS }
  return sealed(call, 'saml answer', proved)
}

/** Attributes of a user are texts: several values become one, in brackets. */
const claimOf = (values: readonly string[]): string | undefined =>
  values.length > 1 ? `[${values.join(', ')}]` : values[0]

/** What a ticket stands for, once, in the browser that began. */
export async function openSaml(
  call: WebCall<unknown>,
  pool: PoolRow,
  ticket: string | undefined,
  csrf: string,
): Promise<Proved> {
  const proved = opened<Proved>(call, 'saml answer', pool, ticket)
  if (!proved || proved.csrf !== csrf) throw badRequest('The sign-in was not begun in this browser.')
  const expiry = { until: proved.endsAt + FORGET_MS, kind: FORGET_ASSERTION }
  if (!(await spend(call.unit, at.part(pool.id, 'saml-assertion', proved.id), expiry)))
    throw badRequest('The answer has been used already.')
  return proved
}

interface SignOut {
  readonly pool: string
  /** A registered address; undefined: the page that says so. */
  readonly redirect?: string | undefined
  readonly endsAt: number
}

/** Where the browser ends the provider's session, too, if the provider is configured so (`IDPSignout`). */
export async function signOutAddress(
  call: WebCall<unknown>,
  pool: PoolRow,
  provider: string | undefined,
  subject: SignedInSubject | undefined,
  redirect: string | undefined,
): Promise<string | undefined> {
  const row = provider && subject ? await call.unit.get<ProviderRow>(at.provider(pool.id, provider)) : undefined
  const destination = row?.saml?.signOutByRedirect
  if (!row || !subject || destination === undefined) return undefined
  if (openDetails(call, pool, row)['IDPSignout']?.toLowerCase() !== 'true') return undefined
  const xml = logoutRequest({ id: newId(), issuer: entityOf(pool), destination, now: call.now, subject })
  const after: SignOut = { pool: pool.id, redirect, endsAt: call.now + REQUEST_MS }
  return redirectAddress(destination, xml, sealed(call, 'saml sign-out', after), await signerOf(call, pool))
}

/** Where to go after the provider's sign-out. Its answer proves nothing, and nothing depends on it. */
export function afterSignOut(
  call: WebCall<unknown>,
  pool: PoolRow,
  relayState: string | undefined,
): string | undefined {
  const after = opened<SignOut>(call, 'saml sign-out', pool, relayState)
  if (!after) throw badRequest('The sign-out was not begun here, or has expired.')
  return after.redirect
}

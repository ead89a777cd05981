/** Signing in at a SAML identity provider, and out again: the requests that are sent, and the answers that count. */
import { logoutRequest, redirectAddress, type SignedInSubject } from '../../../engines/saml/redirect.ts'
import {
  beginSaml,
  newSamlId,
  openAnswer,
  openPending,
  type SamlParty,
  sealAnswer,
  verifiedIdentity,
} from '../../../kernel/federation/saml-sign-in.ts'
import type { WebCall } from '../../../kernel/web/site.ts'
import { type ProviderRow, requireProvider } from '../providers.ts'
import { at, type PoolRow } from '../resources.ts'
import { currentMetadata, signerOf } from '../saml-provider.ts'
import { badRequest } from './authorization-request.ts'
import { federatedUser } from './federated-user.ts'

/** In documents that wait: never change it. */
export const FORGET_ASSERTION = 'cognito-idp.forget-assertion'
const SIGN_OUT_MS = 10 * 60_000

/** The pool as service providers are known; `acs` is below its domain. */
const partyOf = (pool: PoolRow, acs: string): SamlParty => ({
  id: pool.id,
  purpose: 'user-pool',
  // As AWS names pools: the audience of assertions.
  entityId: `urn:amazon:cognito:sp:${pool.id}`,
  acs,
  spentKey: (id) => at.part(pool.id, 'saml-assertion', id),
  forget: FORGET_ASSERTION,
})

interface Carried {
  readonly provider: string
  /** The authorization request of the app. */
  readonly query: string
}

export interface ProvedPerson extends Carried {
  readonly sub: string
  readonly subject: SignedInSubject
}

/** Where to send the browser. */
export async function beginAtProvider(
  call: WebCall<unknown>,
  pool: PoolRow,
  row: ProviderRow,
  { acs, query, csrf }: { readonly acs: string; readonly query: string; readonly csrf: string },
): Promise<string> {
  const metadata = await currentMetadata(call, row.details, row.saml)
  if (metadata !== row.saml) call.unit.put(at.provider(pool.id, row.name), { ...row, saml: metadata })
  const carried: Carried = { provider: row.name, query }
  const signer = row.details['RequestSigningAlgorithm'] === 'rsa-sha256' ? await signerOf(call, pool) : undefined
  return beginSaml(call, partyOf(pool, acs), metadata, { carried, csrf, signer })
}

/** Verifies a posted answer, and makes the person a user. Returns the ticket. */
export async function receiveAnswer(
  call: WebCall<unknown>,
  pool: PoolRow,
  acs: string,
  form: Readonly<Record<string, string>>,
  clientIdOf: (query: string) => string,
): Promise<string> {
  const party = partyOf(pool, acs)
  const pending = openPending<Carried>(call, party, form['RelayState'])
  const { provider, query } = pending.content
  const row = await requireProvider(call.unit, pool, provider)
  if (!row.saml) throw badRequest('The identity provider is not one of SAML any more.')
  const identity = await verifiedIdentity(call, party, pending, row.saml, form['SAMLResponse'])
  const { sub } = await federatedUser(call, pool, row, {
    subject: identity.subject,
    claims: Object.fromEntries([...identity.attributes].map(([name, values]) => [name, claimOf(values)])),
    issuer: identity.issuer,
    clientId: clientIdOf(query),
  })
  const subject = { value: identity.subject, format: identity.subjectFormat, sessionIndex: identity.sessionIndex }
  return sealAnswer(call, party, pending, { provider, query, sub, subject } satisfies ProvedPerson)
}

/** Attributes of a user are texts: several values become one, in brackets. */
const claimOf = (values: readonly string[]): string | undefined =>
  values.length > 1 ? `[${values.join(', ')}]` : values[0]

export const openTicket = (
  call: WebCall<unknown>,
  pool: PoolRow,
  ticket: string | undefined,
  csrf: string,
): Promise<ProvedPerson> => openAnswer(call, partyOf(pool, ''), ticket, csrf)

interface SignOut {
  readonly pool: string
  /** A registered address; undefined: the page that says so. */
  readonly redirect?: string | undefined
  readonly endsAt: number
}

const SIGN_OUT = 'saml sign-out'

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
  if (row.details['IDPSignout']?.toLowerCase() !== 'true') return undefined
  const { entityId } = partyOf(pool, '')
  const xml = logoutRequest({ id: newSamlId(), issuer: entityId, destination, now: call.now, subject })
  const after: SignOut = { pool: pool.id, redirect, endsAt: call.now + SIGN_OUT_MS }
  const relayState = call.vault.issue('user-pool', SIGN_OUT, Buffer.from(JSON.stringify(after)))
  return redirectAddress(destination, xml, relayState, await signerOf(call, pool))
}

/** Where to go after the provider's sign-out. Its answer proves nothing, and nothing depends on it. */
export function afterSignOut(
  call: WebCall<unknown>,
  pool: PoolRow,
  relayState: string | undefined,
): string | undefined {
  const found = relayState ? call.vault.redeem('user-pool', SIGN_OUT, relayState) : undefined
  const after = found && (JSON.parse(found.toString('utf8')) as SignOut)
  if (after?.pool !== pool.id || after.endsAt <= call.now)
    throw badRequest('The sign-out was not begun here, or has expired.')
  return after.redirect
}

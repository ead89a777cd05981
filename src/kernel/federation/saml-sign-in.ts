/**
 * Signing people in at a SAML identity provider, as a service provider: for user pools and for the portal of IAM Identity
 * Center. What must be known when the answer comes travels sealed, as `RelayState`. Browsers send no cookie with a form of
 * another site, so an answer that was verified becomes a ticket, which counts once, in the browser that began.
 *
 * @example
 * redirect(await beginSaml(call, party, metadata, { carried: { query }, csrf }))
 * // POST to the assertion consumer service:
 * const pending = openPending(call, party, form.RelayState)
 * const identity = await verifiedIdentity(call, party, pending, metadata, form.SAMLResponse)
 * redirect(`?ticket=${sealAnswer(call, party, pending, { user: identity.subject })}`)
 * // GET with the ticket:
 * const { user } = await openAnswer(call, party, query.ticket, csrf)
 */
import { createHash, randomUUID } from 'node:crypto'
import type { SamlSigner } from '../../engines/saml/issue.ts'
import type { SamlMetadata } from '../../engines/saml/metadata.ts'
import { authnRequest, redirectAddress } from '../../engines/saml/redirect.ts'
import type { SamlIdentity } from '../../engines/saml/response.ts'
import type { Key } from '../../store/store.ts'
import type { Purpose } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import { spend } from '../jobs/expiring-row.ts'
import type { WebCall } from '../web/site.ts'

/** The service provider. */
export interface SamlParty {
  /** Of the pool or the identity store: tickets of others are refused. */
  readonly id: string
  readonly purpose: Purpose
  readonly entityId: string
  /** The assertion consumer service. */
  readonly acs: string
  /** Where the use of an assertion or a request is remembered. */
  readonly spentKey: (id: string) => Key
  /** The kind of the job that forgets it. */
  readonly forget: string
}

const REQUEST_MS = 10 * 60_000
const TICKET_MS = 2 * 60_000
/** Longer than clocks may differ. */
const FORGET_MS = 15 * 60_000

/** Sealed into what travels with the browser. Names of members are in sign-ins that wait. */
interface Ticket<T> {
  readonly id: string
  readonly party: string
  /** Of the browser that began: another's answer is refused. */
  readonly csrf: string
  /** Epoch milliseconds. */
  readonly endsAt: number
  readonly content: T
}

export type PendingSaml<T> = Ticket<T>

type Binding = 'saml request' | 'saml answer'

const refused = (message: string): Fault => new Fault('BadRequest', message, { status: 400 })

export const newSamlId = (): string => `_${randomUUID()}`

const sealed = <T>(call: Pick<WebCall, 'vault'>, { purpose }: SamlParty, binding: Binding, ticket: Ticket<T>): string =>
  call.vault.issue(purpose, binding, Buffer.from(JSON.stringify(ticket)))

function opened<T>(
  call: Pick<WebCall, 'vault' | 'now'>,
  { purpose, id }: SamlParty,
  binding: Binding,
  text: string | undefined,
): Ticket<T> | undefined {
  const found = text ? call.vault.redeem(purpose, binding, text) : undefined
  const ticket = found && (JSON.parse(found.toString('utf8')) as Ticket<T>)
  return ticket?.party === id && ticket.endsAt > call.now ? ticket : undefined
}

/** Where to send the browser. The metadata must have an endpoint for redirects. `carried` comes back with the answer. */
export async function beginSaml(
  call: WebCall<unknown>,
  party: SamlParty,
  { signOnByRedirect: destination }: SamlMetadata,
  of: {
    readonly carried: object
    readonly csrf: string
    readonly signer?: SamlSigner | undefined
    /** The person must sign in there again. */
    readonly isForced?: boolean | undefined
  },
): Promise<string> {
  if (destination === undefined) throw refused('The identity provider takes no requests by redirect.')
  const { carried: content, csrf, signer, isForced } = of
  const ticket = { id: newSamlId(), party: party.id, csrf, endsAt: call.now + REQUEST_MS, content }
  const xml = authnRequest({
    id: ticket.id,
    issuer: party.entityId,
    destination,
    now: call.now,
    acs: party.acs,
    isForced,
  })
  return redirectAddress(destination, xml, sealed(call, party, 'saml request', ticket), signer)
}

/** What an answer belongs to. Throws a page for one that was not begun here. */
export function openPending<T>(call: WebCall<unknown>, party: SamlParty, relayState: string | undefined): Ticket<T> {
  const pending = opened<T>(call, party, 'saml request', relayState)
  if (!pending) throw refused('The sign-in was not begun here, or has expired. Start again.')
  return pending
}

/** Verifies an answer, and spends it. Throws a page. */
export async function verifiedIdentity(
  call: WebCall<unknown>,
  party: SamlParty,
  pending: PendingSaml<unknown>,
  metadata: SamlMetadata,
  response: string | undefined,
): Promise<SamlIdentity> {
  // XML signatures are much code, which few servers ever need.
  const { readSamlResponse } = await import('../../engines/saml/response.ts')
  let identity: SamlIdentity
  try {
    identity = readSamlResponse(
      response ?? '',
      { ...metadata, validUntil: metadata.validUntil ?? Number.POSITIVE_INFINITY },
      { now: call.now, audience: party.entityId, isRecipient: (url) => url === party.acs },
    )
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SamlRefusal')) throw error
    throw refused(`The answer of the identity provider is refused: ${error.message}`)
  }
  if (identity.inResponseTo !== pending.id) throw refused('The answer is to another request.')
  const hash = createHash('sha256')
    .update(JSON.stringify([identity.issuer, identity.id]))
    .digest('hex')
  await spendAll(call, party, [hash, pending.id], Math.max(identity.endsAt, pending.endsAt))
  return identity
}

async function spendAll(
  call: WebCall<unknown>,
  { spentKey, forget }: SamlParty,
  ids: readonly string[],
  endsAt: number,
) {
  for (const id of ids)
    if (!(await spend(call.unit, spentKey(id), { until: endsAt + FORGET_MS, kind: forget })))
      throw refused('The answer has been used already.')
}

export const sealAnswer = (
  call: WebCall<unknown>,
  party: SamlParty,
  { csrf }: PendingSaml<unknown>,
  content: object,
): string =>
  sealed(call, party, 'saml answer', { id: newSamlId(), party: party.id, csrf, endsAt: call.now + TICKET_MS, content })

/** The content of a ticket, once, in the browser that began. */
export async function openAnswer<T>(
  call: WebCall<unknown>,
  party: SamlParty,
  ticket: string | undefined,
  csrf: string,
): Promise<T> {
  const answer = opened<T>(call, party, 'saml answer', ticket)
  if (!answer || answer.csrf !== csrf) throw refused('The sign-in was not begun in this browser.')
  await spendAll(call, party, [answer.id], answer.endsAt)
  return answer.content
}

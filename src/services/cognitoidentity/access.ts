/** Access to an identity: unauthenticated callers reach one without logins, others one that a login leads to. */
import type { Call } from '../../kernel/gate/call.ts'
import { identityOf, LOGINS_MAX, linkLogins, newIdentity, saveIdentity } from './identity-rows.ts'
import { type Presented, presentedLogins, type VouchedIdentity } from './logins.ts'
import { principalTagsOf } from './principal-tags.ts'
import { spend } from './rates.ts'
import {
  conflict,
  type FoundIdentity,
  type IdentityRow,
  identityKey,
  notAuthorized,
  type PoolRow,
} from './resources.ts'

export interface Reached {
  readonly identity: IdentityRow
  readonly pool: PoolRow
  readonly presented: Presented
  readonly isAuthenticated: boolean
  /** As tokens and `cognito-identity.amazonaws.com:amr` have it. */
  readonly amr: readonly string[]
  readonly principalTags: Readonly<Record<string, string>>
}

type Logins = Readonly<Record<string, string>> | undefined

const MISMATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."
const forbidden = (id: string) => notAuthorized(`Access to Identity '${id}' is forbidden.`)
const noGuests = () => notAuthorized('Unauthenticated access is not supported for this identity pool.')

const isLinked = ({ logins, developerUsers }: IdentityRow): boolean =>
  Object.keys(logins).length + developerUsers.length > 0

/** Whether a user of the token still is one of the identity: unlinking ends the tokens, too. */
const isDeveloperUser = ({ developerUsers }: IdentityRow, { users }: VouchedIdentity): boolean =>
  users.some((user) => developerUsers.includes(user))

const withSession = (of: Pick<Reached, 'identity' | 'pool' | 'presented'>): Reached => {
  const { logins, vouched } = of.presented
  const isAuthenticated = logins.length > 0 || vouched !== undefined
  const names = logins.flatMap(({ provider, reference }) => [provider, reference])
  return {
    ...of,
    isAuthenticated,
    amr: isAuthenticated ? [...new Set(['authenticated', ...(vouched?.amr ?? []), ...names])] : ['unauthenticated'],
    principalTags: { ...principalTagsOf(of.pool, logins), ...vouched?.principalTags },
  }
}

/** The identity that the request's logins lead to; a new one where they lead nowhere yet, or where there are none. */
export async function identityFor(call: Call, pool: PoolRow, given: Logins): Promise<IdentityRow> {
  const presented = await presentedLogins(call, pool, given)
  const { logins, vouched } = presented
  if (logins.length === 0 && !vouched) {
    if (!pool.settings.AllowUnauthenticatedIdentities) throw noGuests()
    spend(call, 'guests-per-second', pool.account)
    return saveIdentity(call.unit, newIdentity(call, pool))
  }
  const found = await Promise.all(logins.map((login) => identityOf(call.unit, pool.id, login)))
  const ids = new Set([...found.flatMap((each) => (each ? [each.id] : [])), ...(vouched ? [vouched.identityId] : [])])
  if (ids.size > 1) throw conflict('Multiple logins lead to different identities.')
  const [id] = ids
  const known = found.find((each) => each?.id === id) ?? (id === undefined ? undefined : await identityById(call, id))
  if (id !== undefined && known === undefined) throw notAuthorized(MISMATCH)
  if (vouched && known && !isDeveloperUser(known, vouched)) throw notAuthorized(MISMATCH)
  return link(call, known ?? saveIdentity(call.unit, newIdentity(call, pool)), presented)
}

const identityById = (call: Call, id: string) => call.unit.get<IdentityRow>(identityKey(id))

/** Throws unless the request may have the identity. Logins that lead nowhere yet are linked to it. */
export async function reach(call: Call, { identity, pool }: FoundIdentity, given: Logins): Promise<Reached> {
  const presented = await presentedLogins(call, pool, given)
  const { logins, vouched } = presented
  if (identity.isDisabled) throw forbidden(identity.id)
  if (vouched && (vouched.identityId !== identity.id || !isDeveloperUser(identity, vouched)))
    throw notAuthorized(MISMATCH)
  if (logins.length === 0 && !vouched) {
    if (isLinked(identity)) throw forbidden(identity.id)
    if (!pool.settings.AllowUnauthenticatedIdentities) throw noGuests()
    return withSession({ identity, pool, presented })
  }
  const owners = await Promise.all(logins.map((login) => identityOf(call.unit, pool.id, login)))
  if (owners.some((owner) => owner !== undefined && owner.id !== identity.id)) throw conflict(MISMATCH)
  const isKnown = vouched !== undefined || !isLinked(identity) || owners.some((owner) => owner !== undefined)
  if (!isKnown) throw notAuthorized(MISMATCH)
  return withSession({ identity: link(call, identity, presented), pool, presented })
}

function link(call: Call, identity: IdentityRow, { logins }: Presented): IdentityRow {
  for (const { provider, subjectHash } of logins) {
    const linked = identity.logins[provider]
    if (linked !== undefined && linked !== subjectHash)
      throw conflict(`The identity is linked to another login of ${provider}.`)
  }
  const providers = new Set([...Object.keys(identity.logins), ...logins.map(({ provider }) => provider)])
  if (providers.size + identity.developerUsers.length > LOGINS_MAX)
    throw conflict(`An identity can have at most ${LOGINS_MAX} logins.`)
  return linkLogins(call, identity, logins)
}

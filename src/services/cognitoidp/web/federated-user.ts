/** Users of a pool that are people of identity providers: found by their link, or created at the first sign-in. */
import type { WebCall } from '../../../kernel/web/site.ts'
import type { ProviderRow } from '../providers.ts'
import { at, notAuthorized, type PoolRow } from '../resources.ts'
import { type Attributes, checkAttributes } from '../schema.ts'
import { preSignUp } from '../sign-up.ts'
import { findUser, type LinkedIdentity, linkKey, newUser, saveUser, type UserRow } from '../user-rows.ts'

export type Claims = Readonly<Record<string, unknown>>

export interface FederatedPerson {
  /** At the provider. */
  readonly subject: string
  readonly claims: Claims
  readonly issuer: string | undefined
  readonly clientId: string
}

/** The user that the provider's person is. A new person becomes a user; a linked one is the user that it is linked to. */
export async function federatedUser(
  call: WebCall<unknown>,
  pool: PoolRow,
  row: ProviderRow,
  { subject, claims, issuer, clientId }: FederatedPerson,
): Promise<UserRow> {
  const attributes = mapped(pool, row, claims)
  const key = linkKey(pool.id, row.name, subject)
  const linked = await call.unit.get<{ readonly sub: string }>(key)
  const known = linked && (await call.unit.get<UserRow>(at.user(pool.id, linked.sub)))
  if (known) {
    if (!known.isEnabled) throw notAuthorized('User is disabled.')
    return saveUser(call.unit, pool, known, {
      ...known,
      attributes: { ...known.attributes, ...attributes },
      modifiedAt: call.now,
    })
  }
  const username = `${row.name}_${subject}`
  if (await findUser(call.unit, pool, username)) throw notAuthorized('A user with this name exists already.')
  await preSignUp(call, pool, {
    source: 'PreSignUp_ExternalProvider',
    userName: username,
    clientId,
    attributes,
    validationData: {},
    clientMetadata: undefined,
  })
  const identity: LinkedIdentity = {
    provider: row.name,
    type: row.type,
    userId: subject,
    issuer,
    isPrimary: true,
    linkedAt: call.now,
  }
  const sub = call.newId()
  call.unit.put(key, { sub })
  return saveUser(call.unit, pool, undefined, {
    ...newUser(sub, username, call.now),
    status: 'EXTERNAL_PROVIDER',
    attributes,
    identities: [identity],
  })
}

/** Attributes by the provider's mapping. An address is unverified unless the mapping says who verified it. */
function mapped(pool: PoolRow, { mapping }: ProviderRow, claims: Claims): Attributes {
  const attributes: Record<string, string> = {}
  for (const [name, claim] of Object.entries(mapping)) {
    const value = name === 'username' ? undefined : claims[claim]
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      attributes[name] = String(value)
  }
  for (const name of ['email', 'phone_number'])
    if (attributes[name] !== undefined) attributes[`${name}_verified`] ??= 'false'
  checkAttributes(pool, attributes, { before: undefined, isAdmin: true })
  return attributes
}

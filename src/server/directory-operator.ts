/** What an operator on the machine of the server does for a directory: a person's password, a token for SCIM. */
import { identityStore } from '../kernel/ports/identity-store.ts'
import { ssoInstances } from '../kernel/ports/sso-instances.ts'
import type { Cloud } from './compose/cloud.ts'
import { InstallationError } from './compose/operator-errors.ts'

export interface PortalPassword {
  /** Default: the directory of the only instance. */
  readonly store?: string | undefined
  readonly userName: string
  readonly password: string
  /** The person must choose another one at the first sign-in. */
  readonly isOneTime: boolean
}

const refused = (text: string) => new InstallationError(text, 'MERLON_IDENTITY_CENTER_REFUSED')
const passwordRefused = (text: string) => new InstallationError(text, 'MERLON_PORTAL_PASSWORD_REFUSED')

/** Ends every sign-in of the person. Returns the directory and its account. */
export async function setPortalPassword(
  cloud: Cloud,
  { store, userName, password, isOneTime }: PortalPassword,
): Promise<{ readonly store: string; readonly account: string }> {
  const people = cloud.use(identityStore)
  return cloud.store.run(async (unit) => {
    const id = store ?? (await cloud.use(ssoInstances).only(unit))?.storeId
    if (id === undefined)
      throw passwordRefused('Name the identity store with --store: there is none, or more than one.')
    const found = await people.find(unit, id)
    const user = found && (await people.userByName(unit, id, userName))
    if (!found || !user) throw passwordRefused(`There is no user ${userName} in the identity store ${id}.`)
    const problem = await people.setPassword({ unit, now: cloud.clock.now() }, user, password, { isOneTime })
    if (problem) throw passwordRefused(problem)
    return { store: id, account: found.account }
  })
}

export interface ShownScimToken {
  readonly id: string
  readonly created: string
  readonly expires: string
  readonly isExpired: boolean
}

async function storeNamed(cloud: Cloud, reader: Cloud['store']['reader'], store: string | undefined) {
  const id = store ?? (await cloud.use(ssoInstances).only(reader))?.storeId
  const found = id === undefined ? undefined : await cloud.use(identityStore).find(reader, id)
  if (!found) throw refused('Name the identity store with --store: there is none of that ID, or more than one.')
  return found
}

export async function listScimTokens(
  cloud: Cloud,
  store: string | undefined,
): Promise<{ readonly store: string; readonly tokens: readonly ShownScimToken[] }> {
  const { reader } = cloud.store
  const { id } = await storeNamed(cloud, reader, store)
  const tokens = await cloud.use(identityStore).scimTokens(reader, id)
  const now = cloud.clock.now()
  return {
    store: id,
    tokens: tokens.map(({ id, createdAt, expiresAt }) => ({
      id,
      created: new Date(createdAt).toISOString(),
      expires: new Date(expiresAt).toISOString(),
      isExpired: expiresAt <= now,
    })),
  }
}

/** Throws where there is no such token. */
export async function removeScimToken(
  cloud: Cloud,
  store: string | undefined,
  token: string,
): Promise<{ readonly store: string; readonly account: string }> {
  return cloud.store.run(async (unit) => {
    const { id, account } = await storeNamed(cloud, unit, store)
    if (!(await cloud.use(identityStore).deleteScimToken(unit, id, token)))
      throw refused(`The identity store ${id} has no token ${token}. List them: merlon scim-token list`)
    return { store: id, account }
  })
}

export interface MadeScimToken {
  readonly id: string
  readonly store: string
  readonly account: string
  /** Below the API's address. */
  readonly path: string
  /** Shown this once. */
  readonly token: string
  readonly expires: string
}

/** Throws where the directory has two tokens already. */
export async function makeScimToken(cloud: Cloud, store: string | undefined): Promise<MadeScimToken> {
  const people = cloud.use(identityStore)
  return cloud.store.run(async (unit) => {
    const found = await storeNamed(cloud, unit, store)
    const made = await people.createScimToken(unit, found.id, cloud.clock.now())
    if (!made) throw refused('The identity store has two tokens already. Delete one first: merlon scim-token delete ID')
    return {
      id: made.id,
      store: found.id,
      account: found.account,
      path: `/scim/${found.id}/v2`,
      token: made.token,
      expires: new Date(made.expiresAt).toISOString(),
    }
  })
}

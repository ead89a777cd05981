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

const refused = (text: string) => new InstallationError(text, 'MERLON_PORTAL_PASSWORD_REFUSED')

/** Ends every sign-in of the person. Returns the directory and its account. */
export async function setPortalPassword(
  cloud: Cloud,
  { store, userName, password, isOneTime }: PortalPassword,
): Promise<{ readonly store: string; readonly account: string }> {
  const people = cloud.use(identityStore)
  return cloud.store.run(async (unit) => {
    const id = store ?? (await cloud.use(ssoInstances).only(unit))?.storeId
    if (id === undefined) throw refused('Name the identity store with --store: there is none, or more than one.')
    const found = await people.find(unit, id)
    const user = found && (await people.userByName(unit, id, userName))
    if (!found || !user) throw refused(`There is no user ${userName} in the identity store ${id}.`)
    const problem = await people.setPassword({ unit, now: cloud.clock.now() }, user, password, { isOneTime })
    if (problem) throw refused(problem)
    return { store: id, account: found.account }
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
    const id = store ?? (await cloud.use(ssoInstances).only(unit))?.storeId
    const found = id === undefined ? undefined : await people.find(unit, id)
    if (!found) throw refused('Name the identity store with --store: there is none of that ID, or more than one.')
    const made = await people.createScimToken(unit, found.id, cloud.clock.now())
    if (!made) throw refused('The identity store has two tokens already. Delete one first.')
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

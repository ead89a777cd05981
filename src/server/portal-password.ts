/** How a person of a directory gets a first password: set by an operator on the machine of the server. */
import { identityStore } from '../kernel/ports/identity-store.ts'
import { ssoInstances } from '../kernel/ports/sso-instances.ts'
import type { Cloud } from './cloud.ts'
import { InstallationError } from './operator-errors.ts'

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

/** Roles of a person: found, and opened as sessions. */
import { randomUUID } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { type IssuedCredentials, issueSession, type Session } from '../../kernel/gate/session.ts'
import type { PortalSession } from '../../kernel/portal-sessions.ts'
import { isPortalSessionValid } from '../../kernel/portal-sessions.ts'
import { type IdentityStorePort, identityStore, type StoreUser } from '../../kernel/ports/identity-store.ts'
import { reservedRoles } from '../../kernel/ports/reserved-roles.ts'
import { type PortalLookup, type PortalRole, type SsoInstance, ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { signInGeneration } from '../../kernel/state/sign-in-sessions.ts'

/** What pages and operations have in common. */
export type Caller = Pick<Call, 'unit' | 'use' | 'now' | 'vault'>

export interface SignedIn {
  readonly session: PortalSession
  readonly instance: SsoInstance
  readonly user: StoreUser
}

/** undefined once the session has ended, the person is disabled or the instance is gone. */
export async function signedIn(
  { unit, use, now }: Pick<Call, 'unit' | 'use' | 'now'>,
  session: PortalSession,
): Promise<SignedIn | undefined> {
  if (!(await isPortalSessionValid(unit, session, now))) return undefined
  const user = await use(identityStore).user(unit, session.storeId, session.userId)
  const instance = await use(ssoInstances).find(unit, session.instanceId)
  return user?.isEnabled && instance ? { session, instance, user } : undefined
}

const lookup = ({ unit, use }: Pick<Call, 'unit' | 'use'>): PortalLookup => {
  const people: Pick<IdentityStorePort, 'groupsOf'> = use(identityStore)
  return { reader: unit, people }
}

export const accountsOf = (call: Pick<Call, 'use'>, { instance, user }: SignedIn) =>
  call.use(ssoInstances).accountsOf(instance, user.id)

export const applicationsOf = (call: Pick<Call, 'unit' | 'use'>, { instance, user }: SignedIn) =>
  call.use(ssoInstances).applicationsOf(lookup(call), instance, user.id)

export const rolesIn = (call: Pick<Call, 'unit' | 'use'>, { instance, user }: SignedIn, accountId: string) =>
  call.use(ssoInstances).rolesIn(lookup(call), instance, user.id, accountId)

const SESSION_NAME = { min: 2, max: 64 }

/** What is no sign of a session's name becomes a hyphen. */
const sessionName = (userName: string): string =>
  userName
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, SESSION_NAME.max)
    .padEnd(SESSION_NAME.min, '-')

export interface OpenedRole {
  readonly credentials: IssuedCredentials
  readonly session: Session
}

/**
 * Opens a session of a role that is assigned to the person. It carries the person's attributes as session tags, and ends
 * when the person is disabled. undefined where the role is gone.
 */
export async function openRole(
  call: Caller,
  { session: portal, instance, user }: SignedIn,
  role: PortalRole,
): Promise<OpenedRole | undefined> {
  const { unit, use, now, vault } = call
  const id = await use(reservedRoles).idOf(unit, role.accountId, role.roleName)
  if (id === undefined) return undefined
  const tags = await use(ssoInstances).sessionTags(unit, instance, user.attributes)
  const issuedAt = Math.floor(now / 1000) * 1000
  const session: Session = {
    account: role.accountId,
    subject: { kind: 'role', name: role.roleName, id, sessionName: sessionName(user.userName) },
    issuedAt,
    expiresAt: issuedAt + role.sessionSeconds * 1000,
    ...(Object.keys(tags).length > 0 && { tags, transitiveTagKeys: [] }),
    ...(portal.mfaAt !== undefined && { mfaAt: portal.mfaAt }),
    // An ID of its own: signing out of the portal keeps the sessions of roles, as in AWS.
    signIn: {
      person: user.signInPerson,
      generation: await signInGeneration(unit, user.signInPerson),
      id: randomUUID(),
    },
    federation: {
      'identitystore:UserId': user.id,
      'identitystore:IdentityStoreArn': `arn:aws:identitystore::${instance.account}:identitystore/${instance.storeId}`,
    },
  }
  return { credentials: issueSession(vault, session), session }
}

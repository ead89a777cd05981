/** What command lines and SDKs call with a person's token: accounts, roles, credentials, and the end of the session. */
import type { AccountInfo } from '@aws-sdk/client-sso'
import {
  type AccessToken,
  PORTAL_SESSION_MS,
  type PortalSession,
  portalIdentity,
  redeemAccessToken,
} from '../../kernel/portal-sessions.ts'
import type { BearerCall, BearerScheme } from '../../kernel/service/bearer.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { endSignIn } from '../../kernel/state/sign-in-sessions.ts'
import { Fault } from '../../wire/fault.ts'
import { header } from '../../wire/http.ts'
import { accountsOf, openRole, rolesIn, type SignedIn, signedIn } from './roles.ts'
import { portal } from './words.ts'

const unauthorized = () => portal.fail('UnauthorizedException', 'Session token not found or invalid')

/** AWS's answer, which its model does not list. */
const noAccess = () => new Fault('ForbiddenException', 'No access', { status: 403 })

const ACCOUNT_ACCESS = 'sso:account:access'

const scheme: BearerScheme<AccessToken> = {
  token: (request) => header(request, 'x-amz-sso_bearer_token'),
  verify: (text, { vault, now }) => {
    const token = redeemAccessToken(vault, text, now)
    if (!token) throw unauthorized()
    const { session, scopes } = token
    if (scopes.length > 0 && !scopes.includes(ACCOUNT_ACCESS)) throw unauthorized()
    return { account: session.account, region: session.region, identity: portalIdentity(session), claims: token }
  },
}

const WHY = 'The token names a person; what is assigned to the person decides.'

async function caller(call: BearerCall<AccessToken>): Promise<SignedIn> {
  const found = await signedIn(call, call.bearer.claims.session)
  if (!found) throw unauthorized()
  return found
}

const badToken = () => portal.fail('InvalidRequestException', 'The nextToken is not one of this list.')

/** A person's lists: the token of a page is bound to the person. */
const queryOf = ({ userId, instanceId }: PortalSession, more: string) => [instanceId, userId, more]

export const listAccounts = portal
  .operation('ListAccounts')
  .bearer(scheme)
  .withoutPermission(WHY)
  .run(async (call, { nextToken, maxResults }) => {
    const person = await caller(call)
    const { items, next } = await pageOf(call, await accountsOf(call, person), ({ id }) => id, {
      token: nextToken,
      size: maxResults ?? 100,
      query: queryOf(person.session, 'accounts'),
      bad: badToken,
    })
    const accountList = items.map(({ id: accountId, name: accountName }): AccountInfo => ({ accountId, accountName }))
    return { accountList, ...(next !== undefined && { nextToken: next }) }
  })

export const listAccountRoles = portal
  .operation('ListAccountRoles')
  .bearer(scheme)
  .withoutPermission(WHY)
  .run(async (call, { accountId, nextToken, maxResults }) => {
    const person = await caller(call)
    const names = (await rolesIn(call, person, accountId)).map(({ name }) => name)
    if (names.length === 0) throw noAccess()
    const { items, next } = await pageOf(call, names, (name) => name, {
      token: nextToken,
      size: maxResults ?? 100,
      query: queryOf(person.session, accountId),
      bad: badToken,
    })
    return {
      roleList: items.map((roleName) => ({ roleName, accountId })),
      ...(next !== undefined && { nextToken: next }),
    }
  })

export const getRoleCredentials = portal
  .operation('GetRoleCredentials')
  .bearer(scheme)
  .withoutPermission(WHY)
  .run(async (call, { accountId, roleName }) => {
    const person = await caller(call)
    const role = (await rolesIn(call, person, accountId)).find(({ name }) => name === roleName)
    const opened = role && (await openRole(call, person, role))
    if (!opened) throw noAccess()
    call.event.additionalEventData = { account_id: accountId, role_name: roleName }
    return { roleCredentials: { ...opened.credentials, expiration: opened.session.expiresAt } }
  })

export const logout = portal
  .operation('Logout')
  .bearer(scheme)
  .withoutPermission(WHY)
  .run(async (call) => {
    const { session } = await caller(call)
    endSignIn(call.unit, session.signIn, call.now, PORTAL_SESSION_MS)
    return {}
  })

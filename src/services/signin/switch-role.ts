/** Switching roles: a signed-in person acts as a role, with its permissions alone, and back again. */
import type * as STS from '@aws-sdk/client-sts'
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import type { Api } from '../../kernel/service/api.ts'
import { html } from '../../kernel/web/html.ts'
import type { WebAnswer, WebCall, WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { type Claims, callerOf, type Principal, rolePrincipal } from './claims.ts'
import { principalEvent } from './events.ts'
import { field, hidden, page, problem } from './pages.ts'
import { CONSOLE } from './redirect.ts'
import { getSignedIn, postSignedIn } from './web.ts'

const sts: Api<typeof STS> = { id: 'sts' }
const ROLE = /^[\w+=,.@/-]{1,576}$/
const DISPLAY_LENGTH_MAX = 64

interface Values {
  readonly account?: string | undefined
  readonly role?: string | undefined
  readonly display?: string | undefined
  readonly failure?: string
}

const form = ({ claims }: WebCall<Claims>, csrf: string, { account, role, display, failure }: Values): WebAnswer => ({
  status: failure === undefined ? 200 : 400,
  page: page({
    title: 'Switch role',
    claims,
    csrf,
    content: html`<section>${problem(failure)}
<p>You act with the permissions of the role, and give up your own until you switch back.</p>
<form method="post" action="/signin/switchrole">${hidden({ csrf })}
${field({ name: 'account', label: 'Account ID or alias', value: account })}
${field({ name: 'roleName', label: 'Role', value: role })}
${field({ name: 'displayName', label: 'Display name (optional)', value: display, isOptional: true })}
<button>Switch role</button></form></section>`,
  }),
})

export const switchRoleRoutes: readonly WebRoute[] = [
  // AWS's own parameters, so that saved links work.
  getSignedIn('/switchrole', 'GetSwitchRolePage', (call, { csrf, query }) =>
    form(call, csrf, { account: query['account'], role: query['roleName'], display: query['displayName'] }),
  ),
  postSignedIn(
    '/switchrole',
    'SwitchRole',
    async (call, { form: { account = '', roleName = '', displayName }, csrf }) => {
      const { claims } = call
      const again = (failure: string) => form(call, csrf, { account, role: roleName, display: displayName, failure })
      const person = claims.before ?? claims.principal
      if (person.kind === 'root') return again('A root user cannot switch roles. Sign in as an IAM user.')
      const found = await call.use(signInIdentities).account(call.unit, account.trim())
      const role = roleName.trim().replace(/^\/+/, '')
      // An account that does not exist is refused like a role that does not trust the person.
      const RoleArn = `arn:aws:iam::${found?.id ?? '000000000000'}:role/${role}`
      if (!ROLE.test(role)) return again('Enter the name of a role, with its path.')
      try {
        const input = { RoleArn, RoleSessionName: sessionNameOf(person) }
        const assumed = await call.callAs(callerOf(claims, person), sts, 'AssumeRole', input)
        const principal: Principal = {
          ...rolePrincipal(call.vault, RoleArn, assumed),
          ...(displayName && { displayName: displayName.slice(0, DISPLAY_LENGTH_MAX) }),
        }
        principalEvent(call, 'SwitchRole', principal, { SwitchFrom: person.arn, RedirectTo: call.webOrigin + CONSOLE })
        return { redirect: CONSOLE, session: { ...claims, principal, before: person } satisfies Claims }
      } catch (error) {
        if (error instanceof Fault && error.code !== 'InternalFailure' && error.code !== 'ServiceUnavailable')
          return again('The role is not one that you may switch to. Check the account and the name of the role.')
        throw error
      }
    },
  ),
  postSignedIn('/switchback', 'ExitRole', (call) => {
    const { before, principal, ...claims } = call.claims
    if (!before) return { redirect: CONSOLE }
    principalEvent(call, 'ExitRole', principal, { SwitchTo: before.arn, RedirectTo: call.webOrigin + CONSOLE })
    return { redirect: CONSOLE, session: { ...claims, principal: before } satisfies Claims }
  }),
]

/** AWS: the role's session has the name of the user. */
const sessionNameOf = ({ userName }: Principal): string => userName.replace(/[^\w+=,.@-]/g, '-').slice(0, 64)

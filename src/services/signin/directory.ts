/** `/signin/directory/NAME`: people of an Active Directory or LDAP directory sign in and choose one of their roles. */
import type * as STS from '@aws-sdk/client-sts'
import {
  DIRECTORY_FAILURES,
  DIRECTORY_INPUT_MAX,
  signInAtDirectory,
} from '../../kernel/federation/directory-sign-in.ts'
import {
  type DirectoryLoginPort,
  type DirectoryPerson,
  directoryLogin,
  type LoginDirectory,
} from '../../kernel/ports/directory-login.ts'
import { MissingPortError, type Use } from '../../kernel/ports/port.ts'
import type { Api } from '../../kernel/service/api.ts'
import { retryText } from '../../kernel/state/failure-budget.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer, WebCall, WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { federatedClaims, identityOf, rolePrincipal } from './claims.ts'
import { watchDirectoryPerson } from './directory-watch.ts'
import { consoleLogin } from './events.ts'
import { field, hidden, page, problem } from './pages.ts'
import { CONSOLE } from './redirect.ts'
import { rolesPage } from './roles-page.ts'
import { openTicket, sealTicket, TICKET_MS, type Ticket } from './ticket.ts'
import { get, post } from './web.ts'

const sts: Api<typeof STS> = { id: 'sts' }
const REGION = 'us-east-1'
interface Chosen {
  readonly directory: LoginDirectory
  readonly person: DirectoryPerson
}

export const directoryRoutes: readonly WebRoute[] = [
  get('/directory/:name', 'GetSignInPage', async (call, { csrf, path: { name = '' } }) => ({
    page: form(await directoryOf(call.use, name), name, csrf),
  })),
  post('/directory/:name', 'ConsoleLogin', async (call, { form: fields, csrf, path: { name = '' } }) => {
    const directory = await directoryOf(call.use, name)
    const userName = (fields['username'] ?? '').trim().slice(0, DIRECTORY_INPUT_MAX)
    const password = (fields['password'] ?? '').slice(0, DIRECTORY_INPUT_MAX)
    const again = (failure: string, status = 401): WebAnswer => ({
      page: form(directory, name, csrf, { userName, failure }),
      status,
    })
    const answer = await signInAtDirectory(call, directory, userName, password)
    if (answer.outcome === 'waits') return again(retryText(answer.retryAfterMs))
    if (answer.outcome !== 'accepted') {
      const identity = { type: 'Directory', principalId: '', accountId: directory.accountId, userName: userName }
      consoleLogin(call, {
        account: directory.accountId,
        identity: answer.outcome === 'refused' ? { ...identity, userName: 'HIDDEN_DUE_TO_SECURITY_REASONS' } : identity,
        to: CONSOLE,
        failure: 'Failed authentication',
      })
      return again(DIRECTORY_FAILURES[answer.outcome], answer.outcome === 'unavailable' ? 503 : 401)
    }
    const { person } = answer
    const [only] = person.roles
    if (!only) return again('No role is assigned to you or to your groups. Contact your administrator.', 403)
    if (person.roles.length === 1) return signedIn(call, { directory, person }, only)
    const ticket: Ticket = {
      stage: 'roles',
      boundTo: csrf,
      expiresAt: call.now + TICKET_MS,
      redirect: CONSOLE,
      more: { directory, person } satisfies Chosen,
    }
    return { page: choice(person, csrf, sealTicket(call.vault, ticket)) }
  }),
  post('/directory-role', 'ConsoleLogin', (call, { form: { ticket, role = '' }, csrf }) => {
    const { more } = openTicket(call.vault, ticket, { stage: 'roles', boundTo: csrf, now: call.now })
    const chosen = more as Chosen
    if (!chosen.person.roles.includes(role)) return { page: choice(chosen.person, csrf, ticket!), status: 400 }
    return signedIn(call, chosen, role)
  }),
]

/** Throws a 404 where no directory has that name. */
async function directoryOf(use: Use, name: string): Promise<LoginDirectory> {
  const found = await portOf(use).find(name)
  if (!found) throw notFound()
  return found
}

function portOf(use: Use): DirectoryLoginPort {
  try {
    return use(directoryLogin)
  } catch (error) {
    if (error instanceof MissingPortError) throw notFound()
    throw error
  }
}

const notFound = (): Fault => new Fault('NotFound', 'There is no directory of this name.', { status: 404 })

const form = (
  { name: title }: LoginDirectory,
  name: string,
  csrf: string,
  { userName, failure }: { readonly userName?: string; readonly failure?: string } = {},
): Html =>
  page({
    title: `Sign in with ${title}`,
    content: html`${problem(failure)}
<form method="post" action="/signin/directory/${encodeURIComponent(name)}">${hidden({ csrf })}
${field({ name: 'username', label: 'User name', value: userName, autocomplete: 'username' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
<button>Sign in</button></form>`,
  })

const choice = ({ roles }: DirectoryPerson, csrf: string, ticket: string): Html =>
  rolesPage({
    action: '/signin/directory-role',
    fields: { csrf, ticket },
    roles: roles.map((arn) => ({ arn, name: arn.split('/').at(-1)!, accountId: arn.split(':')[4] ?? '' })),
  })

async function signedIn(call: WebCall<undefined>, { directory, person }: Chosen, RoleArn: string): Promise<WebAnswer> {
  const { directoryId, accountId } = directory
  // The role must trust the directory service, as in AWS: the mapping alone opens nothing.
  const acting = { service: 'ds.amazonaws.com', account: accountId, region: REGION, source: RoleArn }
  const RoleSessionName = person.userName
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
    .padEnd(2, '-')
  let assumed: STS.AssumeRoleResponse
  try {
    assumed = await call.once(() => call.actAs(acting, sts, 'AssumeRole', { RoleArn, RoleSessionName }))
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'InternalFailure' || error.code === 'ServiceUnavailable')
      throw error
    const content = problem(`The role ${RoleArn} does not trust the directory. Contact your administrator.`)!
    return { status: 403, page: page({ title: 'Sign-in was refused', content }) }
  }
  const principal = rolePrincipal(call.vault, RoleArn, assumed)
  consoleLogin(call, { account: principal.account, identity: identityOf(principal), to: CONSOLE })
  const link = { id: directoryId, subject: person.subject }
  const claims = await federatedClaims(call.unit, `directory/${directoryId}/${person.subject}`, principal, link)
  watchDirectoryPerson(call.unit, claims, call.now)
  return { redirect: CONSOLE, session: claims }
}

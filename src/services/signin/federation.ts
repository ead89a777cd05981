/**
 * `/federation`: opens a console from temporary credentials of STS, for scripts.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { redeemSession, type Session } from '../../kernel/gate/session.ts'
import type { ConsoleSignInPort } from '../../kernel/ports/console-sign-in.ts'
import { accessKeyId as newAccessKeyId } from '../../kernel/service/id.ts'
import type { WebAnswer, WebCall, WebInput, WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { federatedClaims, identityOf, type Principal } from './claims.ts'
import { consoleLogin, principalEvent } from './events.ts'
import { ownAddress } from './redirect.ts'
import { get, post } from './web.ts'

const BINDING = 'signin federation token'
/** AWS: a sign-in token is valid for 15 minutes. */
const TOKEN_MS = 15 * 60_000
const SESSION_SECONDS = { min: 900, max: 43_200, chained: 3_600 } as const

/** A sign-in token: the session it opens, until when it may. */
interface Token {
  readonly principal: Principal
  readonly expiresAt: number
  /** Whose sign-ins it belongs to, where a portal has issued it: see `kernel/state/sign-in-sessions.ts`. */
  readonly signInPerson?: string
}

const answer = async (call: WebCall<undefined>, fields: WebInput['query']): Promise<WebAnswer> => {
  switch (fields['Action']) {
    case 'getSigninToken':
      return { json: { SigninToken: await signinToken(call, fields) } }
    case 'login':
      return login(call, fields)
    default:
      throw bad("Action must be 'getSigninToken' or 'login'.")
  }
}

export const federationRoutes: readonly WebRoute[] = [
  get('', 'GetSigninToken', (call, { query }) => answer(call, query)),
  // No cookie counts here: the credentials in the form do.
  post('', 'GetSigninToken', (call, { form }) => answer(call, form), { crossOrigin: true }),
]

async function signinToken(call: WebCall<undefined>, fields: WebInput['query']): Promise<string> {
  const { accessKeyId, session } = await proved(call, fields['Session'])
  const principal = await principalOf(call, accessKeyId, session)
  const expiresAt = await endOf(call, session, principal, fields['SessionDuration'])
  const token: Token = {
    principal: { ...principal, session: { ...session, expiresAt } },
    expiresAt: call.now + TOKEN_MS,
  }
  principalEvent(call, 'GetSigninToken', principal)
  return call.vault.issue('web-session', BINDING, Buffer.from(JSON.stringify(token)))
}

/** For portals that have opened a role session themselves. */
export const consoleSignInPort: ConsoleSignInPort = {
  link: async (call, { accessKeyId, session, signInPerson, destination }) => {
    const principal = await principalOf(call, accessKeyId, session)
    const token: Token = { principal, expiresAt: call.now + TOKEN_MS, signInPerson }
    const SigninToken = call.vault.issue('web-session', BINDING, Buffer.from(JSON.stringify(token)))
    return `/federation?${new URLSearchParams({ Action: 'login', Destination: destination, SigninToken })}`
  },
}

async function login(call: WebCall<undefined>, fields: WebInput['query']): Promise<WebAnswer> {
  const opened = call.vault.redeem('web-session', BINDING, fields['SigninToken'] ?? '')
  const token = opened && (JSON.parse(opened.toString('utf8')) as Token)
  if (!token || token.expiresAt <= call.now) throw bad('The SigninToken is not valid, or has expired.')
  const { principal } = token
  const { account, subject } = principal.session
  if (!(await call.ports.identity.identity(account, subject))) throw bad('The SigninToken is not valid any more.')
  const to = ownAddress(fields['Destination'], call.webOrigin)
  consoleLogin(call, { account, identity: identityOf(principal), to })
  const person = token.signInPerson ?? `federation/${principal.arn}`
  return { redirect: to, session: await federatedClaims(call.unit, person, principal) }
}

/** The session of credentials whose three parts belong together. Throws for every others alike. */
async function proved({ vault, ports, now }: WebCall<undefined>, text = '') {
  const wrong = bad('The Session is not that of valid temporary credentials.')
  let sent: { readonly sessionId?: unknown; readonly sessionKey?: unknown; readonly sessionToken?: unknown } | null
  try {
    sent = JSON.parse(text)
  } catch {
    throw bad('Session must be JSON: {"sessionId": "…", "sessionKey": "…", "sessionToken": "…"}.')
  }
  const { sessionId: accessKeyId, sessionKey, sessionToken } = sent ?? {}
  if (typeof accessKeyId !== 'string' || typeof sessionKey !== 'string' || typeof sessionToken !== 'string') throw wrong
  const found = redeemSession(vault, accessKeyId, sessionToken)
  const hash = (secret: string) => createHash('sha256').update(secret).digest()
  if (!found || !timingSafeEqual(hash(found.secret), hash(sessionKey))) throw wrong
  const { session } = found
  const { parentKeyId, subject, account, signIn, assumedRoot } = session
  if (session.expiresAt <= now || !(await ports.identity.identity(account, subject))) throw wrong
  if (parentKeyId !== undefined && !(await ports.identity.accessKey(parentKeyId))?.active) throw wrong
  if (signIn || assumedRoot || (subject.kind !== 'role' && subject.kind !== 'federated-user'))
    throw bad(
      'Only credentials from AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity or GetFederationToken open a console.',
    )
  return { accessKeyId, session }
}

async function principalOf(
  { ports }: Pick<WebCall<unknown>, 'ports'>,
  accessKeyId: string,
  session: Session,
): Promise<Principal> {
  const { account, subject } = session
  const principal = (await ports.identity.identity(account, subject))!.principal
  const common = { account, accessKeyId: accessKeyId || newAccessKeyId('ASIA', account), session }
  if (principal.kind === 'role-session') {
    const { arn, userId: principalId, sessionName: userName, roleArn, roleId, roleName } = principal
    const role = { arn: roleArn, id: roleId, name: roleName }
    return { kind: 'assumed-role', arn, userName, principalId, role, ...common }
  }
  if (principal.kind !== 'federated-user') throw bad('The Session is not that of valid temporary credentials.')
  return {
    kind: 'federated-user',
    arn: principal.arn,
    userName: principal.name,
    principalId: principal.userId,
    ...common,
  }
}

/** Default: as long as the credentials. A role session may go on, within the role's maximum. */
async function endOf(
  { now, ports, unit }: WebCall<undefined>,
  session: Session,
  { role }: Principal,
  wanted: string | undefined,
): Promise<number> {
  if (wanted === undefined) return session.expiresAt
  const seconds = /^\d{1,5}$/.test(wanted) ? Number(wanted) : 0
  if (seconds < SESSION_SECONDS.min || seconds > SESSION_SECONDS.max)
    throw bad(`SessionDuration must be between ${SESSION_SECONDS.min} and ${SESSION_SECONDS.max} seconds.`)
  if (!role) throw bad('SessionDuration cannot be used with credentials from GetFederationToken.')
  const found = await ports.identity.role(unit, role.arn)
  const max = session.chained ? SESSION_SECONDS.chained : (found?.maxSessionSeconds ?? 0)
  if (seconds > max) throw bad(`SessionDuration exceeds the maximum session duration of the role: ${max} seconds.`)
  return now + seconds * 1_000
}

const bad = (message: string): Fault => new Fault('BadRequest', message, { status: 400 })

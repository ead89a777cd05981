/** Tokens: a device's, a code's, and those that replace others before they expire. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import {
  isPortalSessionValid,
  issueAccessToken,
  type PortalSession,
  portalIdentity,
} from '../../kernel/portal-sessions.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { type GuessableSecret, onlineGuessing } from '../../kernel/state/failure-budget.ts'
import { key } from '../../store/store.ts'
import { ACCOUNT_ACCESS, authenticated, type Client, DEVICE_CODE, isRegistered, storeInUrl } from './clients.ts'
import { addDevice, type CodeRow, codeKey, DEVICE_MS, type DeviceRow, deviceKey, FORGET_GRANT } from './grants.ts'
import { PendingRequests, PollPace } from './limits.ts'
import { oidc, refuse } from './words.ts'

const HOUR_MS = 60 * 60_000
const INTERVAL_S = 1
/** A refresh token that was replaced is accepted again for as long: clients that share a cache refresh at once. */
const REUSE_MS = 60_000
const REFRESH = 'sso refresh token'
const REFRESH_PREFIX = 'aor'
const TOKEN_CHARS_MAX = 8_192

const paces = new PollPace(INTERVAL_S * 1000)

export const startDeviceAuthorization = oidc
  .operation('StartDeviceAuthorization')
  .anonymous()
  .withoutPermission('The client proves itself by its secret; a person consents.')
  .run(async (call, input) => {
    const client = authenticated(call, input)
    const named = storeInUrl(input.startUrl)
    const people = call.use(identityStore)
    const store = named === undefined ? undefined : await people.find(call.unit, named)
    const only = named === undefined ? await call.use(ssoInstances).only(call.unit) : undefined
    const storeId = store?.id ?? only?.storeId
    if (storeId === undefined)
      throw refuse('InvalidRequestException', 'The start URL is not one of a portal of this installation.')
    const remoteAddress = call.remoteAddress ?? ''
    if (!(await PendingRequests.admit(call.unit, remoteAddress, call.now)))
      throw refuse('SlowDownException', 'Too many devices of this address wait for consent.')
    const { deviceCode, userCode } = addDevice(call.unit, call.now, {
      clientId: client.id,
      clientName: client.name,
      scopes: client.scopes,
      storeId,
      remoteAddress,
    })
    const verificationUri = `${call.use(webOrigin).origin() ?? call.origin}/start/device`
    return {
      deviceCode,
      userCode,
      verificationUri,
      verificationUriComplete: `${verificationUri}?user_code=${userCode}`,
      expiresIn: DEVICE_MS / 1000,
      interval: INTERVAL_S,
    }
  })

interface TokenRequest {
  readonly deviceCode?: string | undefined
  readonly code?: string | undefined
  readonly refreshToken?: string | undefined
  readonly redirectUri?: string | undefined
  readonly codeVerifier?: string | undefined
}

export const createToken = oidc
  .operation('CreateToken')
  .anonymous()
  .withoutPermission('The client proves itself by its secret, and the consent of a person by a code.')
  .run((call, input) => {
    const client = authenticated(call, input)
    switch (input.grantType) {
      case DEVICE_CODE:
        return byDevice(call, client, input)
      case 'authorization_code':
        return byCode(call, client, input)
      case 'refresh_token':
        return byRefresh(call, client, input)
      default:
        throw refuse('UnsupportedGrantTypeException', `The grant type is not supported.`)
    }
  })

async function byDevice(call: Call, client: Client, { deviceCode }: TokenRequest) {
  if (deviceCode === undefined) throw refuse('InvalidRequestException', 'deviceCode is missing.')
  const at = deviceKey(deviceCode)
  const row = await call.unit.get<DeviceRow>(at)
  if (!row || row.clientId !== client.id || row.state === 'used')
    throw refuse('InvalidGrantException', 'The device code is not valid, or was used.')
  if (row.state === 'denied') throw refuse('AccessDeniedException', 'The person has denied the request.')
  if (row.expiresAt <= call.now) throw refuse('ExpiredTokenException', 'The device code has expired.')
  if (row.state === 'pending') {
    if (paces.isTooFast(at, call.now)) throw refuse('SlowDownException', 'Poll more slowly.')
    throw refuse('AuthorizationPendingException', 'The person has not consented yet.')
  }
  const session = row.session!
  await assertValid(call, session)
  call.unit.put(at, { ...row, state: 'used' } satisfies DeviceRow)
  return issued(call, session, row.scopes, client)
}

async function byCode(call: Call, client: Client, { code, codeVerifier, redirectUri }: TokenRequest) {
  if (code === undefined || codeVerifier === undefined || redirectUri === undefined)
    throw refuse('InvalidRequestException', 'code, codeVerifier and redirectUri are needed.')
  const at = codeKey(code)
  const row = await call.unit.get<CodeRow>(at)
  const verified = Buffer.from(createHash('sha256').update(codeVerifier).digest('base64url'))
  const challenge = Buffer.from(row?.challenge ?? '')
  const isRight = verified.length === challenge.length && timingSafeEqual(verified, challenge)
  const isSame = row?.redirectUri === redirectUri && isRegistered(client, redirectUri)
  if (!row || row.clientId !== client.id || row.isUsed || row.expiresAt <= call.now || !isRight || !isSame)
    throw refuse('InvalidGrantException', 'The authorization code is not valid.')
  await assertValid(call, row.session)
  call.unit.put(at, { ...row, isUsed: true } satisfies CodeRow)
  return issued(call, row.session, row.scopes, client)
}

/** What a refresh token carries. Names of members are sealed: never change them. */
interface Refresh {
  readonly family: string
  readonly number: number
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly session: PortalSession
}

interface FamilyRow {
  readonly number: number
  readonly replacedAt: number
  readonly isEnded?: true
}

const familyKey = (family: string) => key('sso-oidc', 'refresh', family)

async function byRefresh(call: Call, client: Client, { refreshToken = '' }: TokenRequest) {
  const isOurs = refreshToken.startsWith(REFRESH_PREFIX) && refreshToken.length <= TOKEN_CHARS_MAX
  const opened = isOurs
    ? call.vault.redeem('web-session', REFRESH, refreshToken.slice(REFRESH_PREFIX.length))
    : undefined
  const token = opened && (JSON.parse(opened.toString('utf8')) as Refresh)
  if (!token || token.clientId !== client.id) throw refuse('InvalidGrantException', 'The refresh token is not valid.')
  await assertValid(call, token.session)
  const at = familyKey(token.family)
  const row = await call.unit.get<FamilyRow>(at)
  const isCurrent = row?.number === token.number
  const isReused = row?.number === token.number + 1 && call.now - row.replacedAt <= REUSE_MS
  if (!row || row.isEnded || (!isCurrent && !isReused)) {
    // RFC 9700, section 4.14.2: another client has the token. Neither of the two keeps it.
    if (row && !row.isEnded) await endFamily(call, token)
    throw refuse('InvalidGrantException', 'The refresh token was used before.')
  }
  const number = isCurrent ? token.number + 1 : row.number
  if (isCurrent) call.unit.put(at, { number, replacedAt: call.now } satisfies FamilyRow)
  return answered(call, token.session, token.scopes, { ...token, number })
}

/** In a transaction of its own, because a refused call writes nothing else. It counts as a wrong guess. */
async function endFamily({ checkSecret }: Call, { family, session }: Refresh): Promise<void> {
  const { account, storeId, userId } = session
  const secret: GuessableSecret = {
    account,
    kind: 'password',
    id: `refresh/${storeId}/${userId}`,
    arn: `arn:aws:identitystore:::user/${userId}`,
    type: 'AWS::IdentityStore::User',
    policy: { ...onlineGuessing, free: 1_000 },
  }
  await checkSecret(secret, async (unit) => {
    const row = await unit.get<FamilyRow>(familyKey(family))
    if (row) unit.put(familyKey(family), { ...row, isEnded: true } satisfies FamilyRow)
    return undefined
  })
}

async function assertValid(call: Call, session: PortalSession): Promise<void> {
  call.event.userIdentity = portalIdentity(session)
  call.event.resources = [
    {
      arn: `arn:aws:sso:::instance/${session.instanceId}`,
      type: 'AWS::SSO::Instance',
      account: session.account,
    },
  ]
  const user = await call.use(identityStore).user(call.unit, session.storeId, session.userId)
  if (!user?.isEnabled || !(await isPortalSessionValid(call.unit, session, call.now)))
    throw refuse('InvalidGrantException', 'The session of the person has ended.')
}

function issued(call: Call, session: PortalSession, scopes: readonly string[], client: Client) {
  if (!scopes.includes(ACCOUNT_ACCESS)) return answered(call, session, scopes, undefined)
  const family = randomUUID()
  const at = familyKey(family)
  call.unit.put(at, { number: 0, replacedAt: call.now } satisfies FamilyRow)
  scheduleJob(call.unit, {
    id: `${FORGET_GRANT}/${at}`,
    kind: FORGET_GRANT,
    dueAt: session.expiresAt,
    payload: { keys: [at] },
  })
  return answered(call, session, scopes, { family, number: 0, clientId: client.id, scopes, session })
}

/**
 * With the scope `sso:account:access` an hour and a refresh token; without scopes, as older clients request, the
 * session.
 */
function answered(call: Call, session: PortalSession, scopes: readonly string[], refresh: Refresh | undefined) {
  const end = refresh ? Math.min(call.now + HOUR_MS, session.expiresAt) : session.expiresAt
  return {
    accessToken: issueAccessToken(call.vault, { session, scopes, expiresAt: end }),
    tokenType: 'Bearer',
    expiresIn: Math.floor((end - call.now) / 1000),
    ...(refresh && {
      refreshToken: REFRESH_PREFIX + call.vault.issue('web-session', REFRESH, Buffer.from(JSON.stringify(refresh))),
    }),
  }
}

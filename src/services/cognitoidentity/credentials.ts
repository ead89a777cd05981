/** Credentials of an identity: the session of a role that trusts the pool (enhanced flow), or a token for one (basic flow). */
import type * as STS from '@aws-sdk/client-sts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import type { Input } from '../../wire/typed.ts'
import { type Reached, reach } from './access.ts'
import { cognitoIdentity, invalidParameter, notAuthorized, openIdentity } from './resources.ts'
import { authenticatedRole, misconfigured } from './role-choice.ts'
import { SCOPE_DOWN_ARN, SCOPE_DOWN_POLICY } from './scope-down.ts'
import { issueToken } from './tokens.ts'

const sts: Api<typeof STS> = { id: 'sts' }

const UNSIGNED = 'AWS documents it as unauthenticated; presenting the logins of an identity proves the right to it'
/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html */
const TOKEN_SECONDS = 600
const SESSION_SECONDS = 3_600
/** Faults of STS for roles that are missing, do not trust the pool, or do not let it tag sessions. */
const OF_CONFIGURATION: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidParameterValue',
  'PackedPolicyTooLargeException',
  'ValidationError',
])
const SESSION_NAME = 'CognitoIdentityCredentials'

function tokenOf(call: Call, { identity, pool, presented, amr, principalTags }: Reached): Promise<string> {
  const endsAt = presented.vouched?.expiresAt ?? Number.POSITIVE_INFINITY
  return issueToken(call, {
    account: pool.account,
    poolId: pool.id,
    identityId: identity.id,
    amr,
    seconds: Math.min(TOKEN_SECONDS, endsAt - Math.floor(call.now / 1000)),
    principalTags,
  })
}

function roleOf({ pool, presented, isAuthenticated }: Reached, custom: string | undefined): string {
  if (isAuthenticated) return authenticatedRole(pool, presented.logins, custom)
  if (custom !== undefined) throw notAuthorized('Access to Role is forbidden.')
  const role = pool.roles['unauthenticated']
  if (role === undefined) throw misconfigured()
  return role
}

export const getCredentialsForIdentity = cognitoIdentity
  .operation('GetCredentialsForIdentity')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(openIdentity)
  .dataEvent()
  .run(async (call, input, found) => {
    const reached = await reach(call, found, input.Logins)
    const RoleArn = roleOf(reached, input.CustomRoleArn)
    const session = await assumed(call, {
      RoleArn,
      RoleSessionName: SESSION_NAME,
      WebIdentityToken: await tokenOf(call, reached),
      DurationSeconds: SESSION_SECONDS,
      ...(!reached.isAuthenticated && { Policy: SCOPE_DOWN_POLICY, PolicyArns: [{ arn: SCOPE_DOWN_ARN }] }),
    })
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = session.Credentials!
    return {
      IdentityId: reached.identity.id,
      Credentials: { AccessKeyId, SecretKey: SecretAccessKey, SessionToken, Expiration },
    }
  })

/** The role's trust policy decides, as for any other caller of STS. */
async function assumed(call: Call, input: Input<typeof STS, 'AssumeRoleWithWebIdentity'>) {
  try {
    return await call.forward(sts, 'AssumeRoleWithWebIdentity', input)
  } catch (error) {
    if (error instanceof Fault && OF_CONFIGURATION.has(error.code)) throw misconfigured()
    throw error
  }
}

export const getOpenIdToken = cognitoIdentity
  .operation('GetOpenIdToken')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(openIdentity)
  .dataEvent()
  .run(async (call, input, found) => {
    if (!found.pool.settings.AllowClassicFlow)
      throw invalidParameter('Basic (classic) flow is not enabled, please use enhanced flow.')
    const reached = await reach(call, found, input.Logins)
    return { IdentityId: reached.identity.id, Token: await tokenOf(call, reached) }
  })

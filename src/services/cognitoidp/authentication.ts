/** InitiateAuth and RespondToAuthChallenge, by users and by administrators. */
import type { AuthFlowType } from '@aws-sdk/client-cognito-identity-provider'
import { respond } from './challenges.ts'
import { nextCustom } from './custom-auth.ts'
import { availableFactors, firstFactor, passwordVerifier, signInWithPassword } from './first-factor.ts'
import { refresh } from './refresh.ts'
import {
  type ClientRow,
  clientNamed,
  cognito,
  type Flow,
  invalidParameter,
  type PoolClient,
  poolNamed,
  requireClient,
} from './resources.ts'
import { assertNotBlocked } from './risk.ts'
import { checkSecretHash } from './secret-hash.ts'
import {
  admit,
  challenged,
  type Parameters,
  personOf,
  preAuthentication,
  required,
  type SignIn,
  type SignInAnswer,
} from './sign-in.ts'
import { UNSIGNED } from './sign-up.ts'
import type { ContextData } from './threat-client.ts'

/** Which of a client's settings allows a flow: its name of today, and the older one. */
const ALLOWED_BY: Readonly<Partial<Record<AuthFlowType, readonly string[]>>> = {
  USER_SRP_AUTH: ['ALLOW_USER_SRP_AUTH'],
  USER_PASSWORD_AUTH: ['ALLOW_USER_PASSWORD_AUTH', 'USER_PASSWORD_AUTH'],
  USER_AUTH: ['ALLOW_USER_AUTH'],
  CUSTOM_AUTH: ['ALLOW_CUSTOM_AUTH', 'CUSTOM_AUTH_FLOW_ONLY'],
  REFRESH_TOKEN_AUTH: ['ALLOW_REFRESH_TOKEN_AUTH'],
  REFRESH_TOKEN: ['ALLOW_REFRESH_TOKEN_AUTH'],
  ADMIN_USER_PASSWORD_AUTH: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'],
  ADMIN_NO_SRP_AUTH: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'],
}
const ADMIN_FLOWS: readonly AuthFlowType[] = ['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH']
/** What clients with settings of the older names may do besides. */
const OLD_DEFAULTS: readonly AuthFlowType[] = ['USER_SRP_AUTH', 'CUSTOM_AUTH', 'REFRESH_TOKEN_AUTH', 'REFRESH_TOKEN']

function isAllowed({ settings }: ClientRow, flow: AuthFlowType): boolean {
  const flows = settings.ExplicitAuthFlows ?? []
  if (flows.some((name) => ALLOWED_BY[flow]?.includes(name))) return true
  const hasOldNames = !flows.some((name) => name.startsWith('ALLOW_'))
  if (!hasOldNames || !OLD_DEFAULTS.includes(flow)) return false
  return !(flow === 'USER_SRP_AUTH' && flows.includes('CUSTOM_AUTH_FLOW_ONLY'))
}

interface Initiation {
  readonly flow: AuthFlowType
  readonly parameters: Parameters
}

export async function initiate(of: SignIn, { flow, parameters }: Initiation): Promise<SignInAnswer> {
  const { client, isAdmin } = of
  await assertNotBlocked(of.call.unit, of, of.call.remoteAddress)
  if (ADMIN_FLOWS.includes(flow) && !isAdmin) throw invalidParameter('Initiate Auth method not supported.')
  if (!isAllowed(client, flow))
    throw invalidParameter(
      ADMIN_FLOWS.includes(flow) ? 'Auth flow not enabled for this client' : `${flow} flow not enabled for this client`,
    )
  if (flow === 'REFRESH_TOKEN_AUTH' || flow === 'REFRESH_TOKEN') return refreshed(of, parameters)

  const person = await personOf(of, parameters)
  await preAuthentication(of, person)
  switch (flow) {
    case 'USER_SRP_AUTH':
      admit(of, person)
      return passwordVerifier(of, person, parameters, { deviceKey: parameters['DEVICE_KEY'] })
    case 'USER_PASSWORD_AUTH':
    case 'ADMIN_USER_PASSWORD_AUTH':
    case 'ADMIN_NO_SRP_AUTH':
      return signInWithPassword(of, person, required(parameters, 'PASSWORD'), parameters['DEVICE_KEY'])
    case 'CUSTOM_AUTH': {
      admit(of, person)
      const rounds =
        parameters['SRP_A'] === undefined
          ? []
          : [{ challengeName: 'SRP_A', challengeResult: true, challengeMetadata: null }]
      return nextCustom(of, person, rounds, parameters)
    }
    case 'USER_AUTH': {
      admit(of, person)
      const available = availableFactors(of, person.user)
      const preferred = parameters['PREFERRED_CHALLENGE']
      if (preferred !== undefined && (available as readonly string[]).includes(preferred))
        return firstFactor(of, person, preferred, parameters)
      return {
        ...challenged(of, person, 'SELECT_CHALLENGE', {}, { deviceKey: parameters['DEVICE_KEY'] }),
        AvailableChallenges: available,
      }
    }
    default:
      throw invalidParameter(`Unsupported auth flow: ${flow}`)
  }
}

/** The older way to exchange a refresh token: without rotation. */
async function refreshed(of: SignIn, parameters: Parameters): Promise<SignInAnswer> {
  const { call, client, clientMetadata } = of
  const AuthenticationResult = await refresh(call, of, {
    token: required(parameters, 'REFRESH_TOKEN'),
    deviceKey: parameters['DEVICE_KEY'],
    clientMetadata,
    authenticate: (user) => {
      const { email, phone_number: phone, preferred_username: preferred } = user.attributes
      const names = [user.username, user.sub, email, phone, preferred].filter((name) => name !== undefined)
      checkSecretHash(call.vault, client, parameters['SECRET_HASH'], names)
    },
  })
  return { AuthenticationResult, ChallengeParameters: {} }
}

interface Given {
  readonly ClientMetadata?: Readonly<Record<string, string>> | undefined
  readonly UserContextData?: ContextData | undefined
  readonly ContextData?: ContextData | undefined
}

const signInOf = (
  call: Flow,
  { pool, client }: PoolClient,
  isAdmin: boolean,
  { ClientMetadata: clientMetadata, UserContextData, ContextData }: Given,
): SignIn => ({ call, pool, client, isAdmin, clientMetadata, context: isAdmin ? ContextData : UserContextData })

export const initiateAuth = cognito
  .operation('InitiateAuth')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run((call, input, of) =>
    initiate(signInOf(call, of, false, input), {
      flow: input.AuthFlow,
      parameters: input.AuthParameters ?? {},
    }),
  )

export const respondToAuthChallenge = cognito
  .operation('RespondToAuthChallenge')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run((call, input, of) =>
    respond(signInOf(call, of, false, input), {
      name: input.ChallengeName,
      session: input.Session,
      responses: input.ChallengeResponses ?? {},
    }),
  )

export const adminInitiateAuth = cognito
  .operation('AdminInitiateAuth')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const client = await requireClient(call.unit, pool, input.ClientId)
    return initiate(signInOf(call, { pool, client }, true, input), {
      flow: input.AuthFlow,
      parameters: input.AuthParameters ?? {},
    })
  })

export const adminRespondToAuthChallenge = cognito
  .operation('AdminRespondToAuthChallenge')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const client = await requireClient(call.unit, pool, input.ClientId)
    return respond(signInOf(call, { pool, client }, true, input), {
      name: input.ChallengeName,
      session: input.Session,
      responses: input.ChallengeResponses ?? {},
    })
  })

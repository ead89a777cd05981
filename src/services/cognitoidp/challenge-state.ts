/** The state of a sign-in between two requests: sealed into `Session`, bound to client, user and step, valid once. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import type { Flow, PoolClient } from './resources.ts'
import { at, cognito, notAuthorized } from './resources.ts'

/** Of the model's member. */
const SESSION_LENGTH_MAX = 2048
const STATE_BYTES_MAX = 64 * 1024

/** One round of CUSTOM_AUTH, as its functions see it. */
export interface CustomRound {
  readonly challengeName: string
  readonly challengeResult: boolean
  readonly challengeMetadata?: string | null
}

export interface SignInState {
  /** Single use: of the state, not of the sign-in. */
  readonly id: string
  readonly pool: string
  readonly client: string
  /** As the request named the user. */
  readonly login: string
  /** undefined for a user that does not exist. */
  readonly sub: string | undefined
  readonly challenge: ChallengeNameType
  readonly expiresAt: number
  readonly isAdmin: boolean
  readonly deviceKey?: string | undefined
  /** A device that has proved itself, but spares no second factor. */
  readonly provedDevice?: string | undefined
  /** The digest of a code that was sent. */
  readonly code?: string | undefined
  /** Of WebAuthn. */
  readonly webAuthn?: string | undefined
  /** Which second factors may be chosen. */
  readonly choices?: readonly string[] | undefined
  /** The sealed seed of a token that is being set up, and whether its code was right. */
  readonly seed?: string | undefined
  readonly isSetUp?: boolean | undefined
  readonly custom?:
    | { readonly rounds: readonly CustomRound[]; readonly secrets: Readonly<Record<string, string>> }
    | undefined
  readonly isCustom?: boolean | undefined
  /** First factors that were proved. */
  readonly factor?: string | undefined
  /** What an OAuth page continues with. */
  readonly scopes?: readonly string[] | undefined
}

const BINDING = 'sign-in session'

/**
 * Most states fit as they are, padded to one length: else the length would show whether there is a user. Compressing takes longer
 * than all else that is done to a state.
 */
const PLAIN_BYTES = 1_200
const PLAIN = 0
const DEFLATED = 1

export function sealState(vault: Pick<Flow['vault'], 'issue'>, state: SignInState): string {
  const json = Buffer.from(JSON.stringify(state))
  const body =
    json.length <= PLAIN_BYTES
      ? Buffer.concat([Buffer.of(PLAIN), json, Buffer.alloc(PLAIN_BYTES - json.length, ' ')])
      : Buffer.concat([Buffer.of(DEFLATED), deflateRawSync(json)])
  const token = vault.issue('user-pool', BINDING, body)
  if (token.length > SESSION_LENGTH_MAX)
    throw cognito.fail(
      'InvalidLambdaResponseException',
      'Invalid lambda function output : the challenge parameters are too long',
    )
  return token
}

export const invalidSession = () => notAuthorized('Invalid session for the user.')
export const expiredSession = () => notAuthorized('Invalid session for the user, session is expired.')

/** What a session says, before anything of it is checked. undefined for a forged one. */
export function readState(vault: Pick<Flow['vault'], 'redeem'>, token: string | undefined): SignInState | undefined {
  const opened = token ? vault.redeem('user-pool', BINDING, token) : undefined
  if (!opened) return undefined
  const body = opened.subarray(1)
  const json = opened[0] === PLAIN ? body : inflateRawSync(body, { maxOutputLength: STATE_BYTES_MAX })
  return JSON.parse(json.toString('utf8')) as SignInState
}

/** Throws for a session that is forged, expired, spent, or of another client. */
export async function openState(
  call: Pick<Flow, 'vault' | 'unit' | 'now'>,
  { pool, client }: PoolClient,
  token: string | undefined,
): Promise<SignInState> {
  const state = readState(call.vault, token)
  if (!state) throw invalidSession()
  if (state.pool !== pool.id || state.client !== client.id) throw invalidSession()
  if (state.expiresAt <= call.now) throw expiredSession()
  if (state.sub !== undefined && (await call.unit.get(at.spent(pool.id, state.sub, state.id)))) throw invalidSession()
  return state
}

/** The state has led on: it leads nowhere else. */
export function spend(call: Pick<Flow, 'unit'>, state: Pick<SignInState, 'pool' | 'sub' | 'id' | 'expiresAt'>): void {
  if (state.sub !== undefined) call.unit.put(at.spent(state.pool, state.sub, state.id), { endsAt: state.expiresAt })
}

/** Minutes that a client gives its users between two steps. */
export const sessionMs = ({ client }: Pick<PoolClient, 'client'>): number =>
  (client.settings.AuthSessionValidity ?? 3) * 60_000

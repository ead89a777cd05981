/**
 * Sessions of the access portal of IAM Identity Center: what its cookies and its access tokens carry. Both are sealed, so that
 * any node reads them without a row; they end with the person's sign-ins (`sign-in-sessions.ts`). Names of members are sealed
 * into tokens: never change them.
 */
import { key, type Unit } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import type { Reader } from './state/reader.ts'
import { isSignInValid, type SignIn } from './state/sign-in-sessions.ts'

export interface PortalSession {
  /** Owner of the instance: where the person's calls are recorded. */
  readonly account: string
  readonly region: string
  readonly instanceId: string
  readonly storeId: string
  readonly userId: string
  readonly userName: string
  readonly signIn: SignIn
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly expiresAt: number
  /** When the second factor was shown. */
  readonly mfaAt?: number
  /** {@link portalGeneration} when the session began. Default: 0. */
  readonly portalGeneration?: number
}

/** AWS's default length of a portal session. */
export const PORTAL_SESSION_MS = 8 * 60 * 60_000

export interface AccessToken {
  readonly session: PortalSession
  readonly scopes: readonly string[]
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

const generationKey = (storeId: string) => key('kernel', 'portal-generation', storeId)

/** How often the portal sessions of an identity store were ended together. */
export async function portalGeneration(reader: Pick<Reader, 'get'>, storeId: string): Promise<number> {
  return (await reader.get<{ readonly generation: number }>(generationKey(storeId)))?.generation ?? 0
}

/** Ends every portal session of an identity store, with its access and refresh tokens. Sessions of roles last to their end. */
export async function endPortalSessions(unit: Unit, storeId: string): Promise<void> {
  unit.put(generationKey(storeId), { generation: (await portalGeneration(unit, storeId)) + 1 })
}

const ACCESS = 'sso access token'
const PREFIX = 'aoa'
const TOKEN_CHARS_MAX = 8_192

export const issueAccessToken = (vault: Pick<Vault, 'issue'>, token: AccessToken): string =>
  PREFIX + vault.issue('web-session', ACCESS, Buffer.from(JSON.stringify(token)))

/** undefined for a token that is forged, changed or expired. */
export function redeemAccessToken(
  vault: Pick<Vault, 'redeem'>,
  text: string | undefined,
  now: number,
): AccessToken | undefined {
  if (!text?.startsWith(PREFIX) || text.length > TOKEN_CHARS_MAX) return undefined
  const opened = vault.redeem('web-session', ACCESS, text.slice(PREFIX.length))
  const token = opened && (JSON.parse(opened.toString('utf8')) as AccessToken)
  return token && token.expiresAt > now && token.session.expiresAt > now ? token : undefined
}

/**
 * Whether the sign-in is still valid: neither ended, nor the person disabled, deleted or issued another password, nor the
 * identity source changed.
 */
export const isPortalSessionValid = async (
  reader: Pick<Reader, 'get'>,
  { signIn, expiresAt, storeId, portalGeneration: generation = 0 }: PortalSession,
  now: number,
): Promise<boolean> =>
  expiresAt > now && (await isSignInValid(reader, signIn)) && (await portalGeneration(reader, storeId)) === generation

/** In CloudTrail's form of a person of IAM Identity Center. */
export const portalIdentity = ({ account, storeId, userId, userName, signIn }: PortalSession) => ({
  type: 'IdentityCenterUser',
  principalId: userId,
  accountId: account,
  userName,
  onBehalfOf: { userId, identityStoreArn: `arn:aws:identitystore::${account}:identitystore/${storeId}` },
  credentialId: signIn.id,
})

/** The person an application acts for: what `AssumeRole` takes as a provided context. */
export interface IdentityContext {
  readonly account: string
  readonly storeId: string
  readonly instanceId: string
  readonly userId: string
  readonly applicationArn: string
  readonly signIn: SignIn
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** The provider of these contexts, as `ProvidedContexts` names it. */
export const CONTEXT_PROVIDER = 'arn:aws:iam::aws:contextProvider/IdentityCenter'
const CONTEXT = 'sso identity context'

export const issueIdentityContext = (vault: Pick<Vault, 'issue'>, context: IdentityContext): string =>
  vault.issue('web-session', CONTEXT, Buffer.from(JSON.stringify(context)))

/** undefined for a context that is forged, changed or expired, or whose person is disabled. */
export async function redeemIdentityContext(
  vault: Pick<Vault, 'redeem'>,
  reader: Pick<Reader, 'get'>,
  text: string,
  now: number,
): Promise<IdentityContext | undefined> {
  const opened = text.length <= TOKEN_CHARS_MAX ? vault.redeem('web-session', CONTEXT, text) : undefined
  const context = opened && (JSON.parse(opened.toString('utf8')) as IdentityContext)
  return context && context.expiresAt > now && (await isSignInValid(reader, context.signIn)) ? context : undefined
}

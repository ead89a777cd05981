/** The roles of a response that a browser brings: verified against each provider that it names, and not spent. */
import { ROLE_ATTRIBUTE, type RolePair, requestedSession, rolePairs } from '../../engines/saml/aws-attributes.ts'
import type { SamlIdentity } from '../../engines/saml/response.ts'
import type { AccountsPort, IdentityPort, TrustedIdp } from '../../kernel/ports/ports.ts'
import type { SamlSignIn, SamlSignInPort, SamlSignInRequest, SamlSignInRole } from '../../kernel/ports/saml-sign-in.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { Fault } from '../../wire/fault.ts'
import { nameQualifier } from './saml-keys.ts'
import { assertUnspent } from './saml-replay.ts'
import { inOurWords, ownOrigins, readResponse } from './saml-response.ts'
import { sts } from './words.ts'

/** One identity provider serves many accounts; each has a provider of its own, and each is verified. */
const PROVIDERS_MAX = 50

export interface SignInContext {
  readonly reader: Reader
  readonly identities: () => Pick<IdentityPort, 'samlProvider' | 'samlProviderArn'>
  readonly accounts: () => Pick<AccountsPort, 'describe'>
  readonly now: () => number
  /** The configured web origins. */
  readonly origins: () => readonly string[]
}

const refused = (message: string) => sts.fail('InvalidIdentityTokenException', message)

export function samlSignInPort(context: SignInContext): SamlSignInPort {
  return {
    inspect: async (request) => {
      try {
        return await inspected(context, request)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        return { outcome: 'refused', code: error.code, message: error.message }
      }
    },
  }
}

async function inspected(context: SignInContext, request: SamlSignInRequest): Promise<SamlSignIn> {
  const at = { now: context.now(), origins: ownOrigins(context.origins(), request.webOrigin) }
  const roles: SamlSignInRole[] = []
  let first: { readonly provider: TrustedIdp; readonly identity: SamlIdentity } | undefined
  let failure: Fault | undefined
  const { arns, issuer } = await candidates(context, request)
  for (const arn of arns) {
    const provider = await context.identities().samlProvider(context.reader, arn)
    if (!provider) continue
    // Signatures cost, and anyone can name fifty providers: only those of the claimed issuer are worth a check.
    if (issuer !== undefined && provider.entityId !== issuer) {
      failure ??= refused('Issuer not present in specified provider')
      continue
    }
    try {
      const identity = await readResponse(request.response, provider, at)
      await assertUnspent(context.reader, identity)
      first ??= { provider, identity }
      const pairs = rolePairs(identity.attributes.get(ROLE_ATTRIBUTE) ?? [])
      for (const pair of pairs.filter(({ providerArn }) => providerArn === provider.arn))
        if (!roles.some(({ roleArn }) => roleArn === pair.roleArn))
          roles.push(...(await shown(context, provider, pair)))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      failure ??= error
    }
  }
  if (!first) throw failure ?? refused("Specified provider doesn't exist")
  if (roles.length === 0) throw refused('The response names no role of the provider that signed it.')
  const { identity, provider } = first
  const { sessionName, duration } = inOurWords(() => requestedSession(identity))
  return {
    outcome: 'verified',
    roles,
    principalId: `${nameQualifier(provider, identity)}:${identity.subject}`,
    subject: identity.subject,
    sessionName,
    duration,
    endsAt: identity.endsAt,
  }
}

/** The providers that may have signed: the one of the address, else those that the unverified text names. */
async function candidates(
  { identities, reader }: SignInContext,
  request: SamlSignInRequest,
): Promise<{ readonly arns: readonly string[]; readonly issuer: string | undefined }> {
  if (request.providerId !== undefined) {
    const arn = await identities().samlProviderArn(reader, request.providerId)
    return { arns: arn === undefined ? [] : [arn], issuer: undefined }
  }
  const { claimedIssuer, claimedValues, decodedResponse } = await import('../../engines/saml/response.ts')
  return inOurWords(() => {
    const text = decodedResponse(request.response)
    const claimed = rolePairs(claimedValues(text, ROLE_ATTRIBUTE)).map(({ providerArn }) => providerArn)
    return { arns: [...new Set(claimed)].slice(0, PROVIDERS_MAX), issuer: claimedIssuer(text) }
  })
}

/** A role of the provider's own account; no other account's provider may sign for it. */
async function shown(
  { accounts, reader }: SignInContext,
  provider: TrustedIdp,
  { roleArn, providerArn }: RolePair,
): Promise<readonly SamlSignInRole[]> {
  const [, accountId, roleName] = /^arn:[^:]*:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? []
  if (accountId !== provider.account || roleName === undefined) return []
  const { name, alias } = await accounts().describe(reader, accountId)
  return [
    {
      roleArn,
      roleName,
      providerArn,
      accountId,
      accountName: name,
      ...(alias !== undefined && { accountAlias: alias }),
    },
  ]
}

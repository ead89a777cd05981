/** Trusted token issuers: whose tokens name people of the directory. */
import type { Call } from '../../kernel/gate/call.ts'
import { mergedTags, requestedTags } from '../../kernel/resource/tag-rules.ts'
import { onceByToken } from './idempotency.ts'
import { rowsBelow } from './pages.ts'
import {
  conflict,
  type InstanceRow,
  invalid,
  SCOPE,
  sso,
  type TokenIssuerRow,
  tagRules,
  tokenIssuer,
} from './resources.ts'
import { belowInstance } from './rows.ts'
import { inInstance, onTokenIssuer, theInstance } from './target.ts'

const ISSUERS_MAX = 10
const ATTRIBUTES: ReadonlySet<string> = new Set(['userName', 'emails.value', 'externalId'])

export const tokenIssuerArn = ({ account, instanceId, id }: TokenIssuerRow): string =>
  `arn:aws:sso::${account}:trustedTokenIssuer/${instanceId}/${id}`

const issuersOf = async ({ unit }: Pick<Call, 'unit'>, { id }: InstanceRow): Promise<readonly TokenIssuerRow[]> =>
  (await unit.range<TokenIssuerRow>(belowInstance(tokenIssuer.prefix(SCOPE), id))).map(({ document }) => document)

function checkedPath(path: string): string {
  if (!ATTRIBUTES.has(path))
    throw invalid(`IdentityStoreAttributePath must be one of ${[...ATTRIBUTES].join(', ')}, not ${path}.`)
  return path
}

export const createTrustedTokenIssuer = sso
  .operation('CreateTrustedTokenIssuer')
  .on(
    inInstance((found, _input: { readonly InstanceArn: string }) => {
      const pattern = {
        arn: `arn:aws:sso::${found.account}:trustedTokenIssuer/${found.id}/*`,
        type: tokenIssuer.spec.type,
      }
      return { on: [pattern], row: true, creates: pattern }
    }),
  )
  .run(async (call, input, { instance }) => {
    const settings = input.TrustedTokenIssuerConfiguration.OidcJwtConfiguration
    if (!settings) throw invalid('The configuration of an OIDC issuer is missing.')
    if (!settings.IssuerUrl.startsWith('https://')) throw invalid('IssuerUrl must begin with https://.')
    const TrustedTokenIssuerArn = await onceByToken(call, input.ClientToken, input, async () => {
      const others = await issuersOf(call, instance)
      if (others.length >= ISSUERS_MAX)
        throw sso.fail('ServiceQuotaExceededException', `An instance has at most ${ISSUERS_MAX} trusted token issuers.`)
      if (others.some(({ name, issuerUrl }) => name === input.Name || issuerUrl === settings.IssuerUrl))
        throw conflict('A trusted token issuer with this name or address exists already.')
      const row: TokenIssuerRow = {
        id: `tti-${call.newId()}`,
        instanceId: instance.id,
        account: instance.account,
        name: input.Name,
        issuerUrl: settings.IssuerUrl,
        claimPath: settings.ClaimAttributePath,
        attributePath: checkedPath(settings.IdentityStoreAttributePath),
        createdAt: call.now,
        tags: mergedTags(tagRules, undefined, requestedTags(tagRules, input)),
      }
      tokenIssuer.put(call.unit, SCOPE, row)
      return tokenIssuerArn(row)
    })
    call.event.resources = [{ arn: TrustedTokenIssuerArn, type: tokenIssuer.spec.type, account: call.account }]
    return { TrustedTokenIssuerArn }
  })

export const describeTrustedTokenIssuer = sso
  .operation('DescribeTrustedTokenIssuer')
  .on(onTokenIssuer())
  .run((_call, _input, { row }) => ({
    TrustedTokenIssuerArn: tokenIssuerArn(row),
    Name: row.name,
    TrustedTokenIssuerType: 'OIDC_JWT' as const,
    TrustedTokenIssuerConfiguration: {
      OidcJwtConfiguration: {
        IssuerUrl: row.issuerUrl,
        ClaimAttributePath: row.claimPath,
        IdentityStoreAttributePath: row.attributePath,
        JwksRetrievalOption: 'OPEN_ID_DISCOVERY' as const,
      },
    },
  }))

export const updateTrustedTokenIssuer = sso
  .operation('UpdateTrustedTokenIssuer')
  .on(onTokenIssuer())
  .run((call, input, { row }) => {
    const { ClaimAttributePath, IdentityStoreAttributePath } =
      input.TrustedTokenIssuerConfiguration?.OidcJwtConfiguration ?? {}
    tokenIssuer.put(call.unit, SCOPE, {
      ...row,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(ClaimAttributePath !== undefined && { claimPath: ClaimAttributePath }),
      ...(IdentityStoreAttributePath !== undefined && { attributePath: checkedPath(IdentityStoreAttributePath) }),
    })
    return {}
  })

export const deleteTrustedTokenIssuer = sso
  .operation('DeleteTrustedTokenIssuer')
  .on(onTokenIssuer())
  .run((call, _input, { instance, row }) => {
    call.unit.delete(tokenIssuer.key(SCOPE, { InstanceId: instance.id, TrustedTokenIssuerId: row.id }))
    return {}
  })

export const listTrustedTokenIssuers = sso
  .operation('ListTrustedTokenIssuers')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const below = belowInstance(tokenIssuer.prefix(SCOPE), instance.id)
    const { items, rest } = await rowsBelow<TokenIssuerRow>(call, below, input)
    return {
      TrustedTokenIssuers: items.map((row) => ({
        TrustedTokenIssuerArn: tokenIssuerArn(row),
        Name: row.name,
        TrustedTokenIssuerType: 'OIDC_JWT' as const,
      })),
      ...rest,
    }
  })

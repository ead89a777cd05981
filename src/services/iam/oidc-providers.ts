/** OpenID Connect providers: whose tokens `AssumeRoleWithWebIdentity` may believe, and for which audiences. */
import { parseArn } from '../../kernel/arn.ts'
import type { Call } from '../../kernel/call.ts'
import { anything, type Row, type Target } from '../../kernel/resource.ts'
import { count } from './counts.ts'
import { date, iam } from './resources.ts'
import { newTags, shownTags } from './tags.ts'

export interface OidcProviderRow extends Row {
  /** The issuer without `https://`: what stands behind `oidc-provider/` in the ARN. */
  readonly issuer: string
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, hexadecimal. Empty: the certificate authorities that the system trusts. */
  readonly thumbprints: readonly string[]
  readonly createdAt: number
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const CLIENT_IDS_MAX = 100
const THUMBPRINTS_MAX = 5

export const oidcProvider = iam.resource<OidcProviderRow>({
  kind: 'oidc-provider',
  type: 'AWS::IAM::OIDCProvider',
  global: true,
  id: (row) => row.issuer,
  path: (id) => `oidc-provider/${id}`,
  resolve: (call, arn) => issuerNamed(call, arn) ?? arn,
  missing: (_id, arn) => iam.fail('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${arn}`),
})

function issuerNamed(call: Call, text: string): string | undefined {
  const arn = parseArn(text)
  const ours = arn?.service === 'iam' && arn.account === call.account && arn.resource.startsWith('oidc-provider/')
  return ours ? arn.resource.slice('oidc-provider/'.length) : undefined
}

/** The provider an ARN names; it need not exist: AWS documents deletion as idempotent. */
const perhaps: Target<{ readonly OpenIDConnectProviderArn?: string | undefined }, OidcProviderRow | undefined> = {
  find: async (call, input) => {
    const { acted, row } = await oidcProvider.find(call, input.OpenIDConnectProviderArn ?? '')
    return { acted, row }
  },
}

export const createOpenIdConnectProvider = iam
  .operation('CreateOpenIDConnectProvider')
  .on(oidcProvider.made((input) => ({ issuer: withoutScheme(input.Url) })))
  .run(async (call, input) => {
    const issuer = issuerOf(input.Url)
    if (await oidcProvider.get(call, issuer)) {
      throw iam.fail('EntityAlreadyExistsException', `Provider with url ${input.Url} already exists.`)
    }
    const clientIds = [...new Set(input.ClientIDList)]
    withinClientIds(clientIds)
    const thumbprints = checkedThumbprints(input.ThumbprintList ?? [])
    await count(call, 'OpenIdConnectProviders', 1)

    const row = oidcProvider.save(call, {
      issuer,
      clientIds,
      thumbprints,
      createdAt: call.now,
      tags: newTags(input.Tags),
    })
    return { OpenIDConnectProviderArn: oidcProvider.arnOf(call, row), ...shownTags(row) }
  })

export const getOpenIdConnectProvider = iam
  .operation('GetOpenIDConnectProvider')
  .on(oidcProvider.named('OpenIDConnectProviderArn'))
  .run((_call, _input, row) => ({
    Url: row.issuer,
    ClientIDList: [...row.clientIds],
    ThumbprintList: [...row.thumbprints],
    CreateDate: date(row.createdAt),
    ...shownTags(row),
  }))

export const listOpenIdConnectProviders = iam
  .operation('ListOpenIDConnectProviders')
  .on(anything)
  .run(async (call) => ({
    OpenIDConnectProviderList: (await oidcProvider.list(call)).map(({ document }) => ({
      Arn: oidcProvider.arnOf(call, document),
    })),
  }))

export const addClientIdToOpenIdConnectProvider = iam
  .operation('AddClientIDToOpenIDConnectProvider')
  .on(oidcProvider.named('OpenIDConnectProviderArn'))
  .run((call, input, row) => {
    const clientIds = [...new Set([...row.clientIds, input.ClientID])]
    withinClientIds(clientIds)
    oidcProvider.save(call, { ...row, clientIds })
    return {}
  })

export const removeClientIdFromOpenIdConnectProvider = iam
  .operation('RemoveClientIDFromOpenIDConnectProvider')
  .on(oidcProvider.named('OpenIDConnectProviderArn'))
  .run((call, input, row) => {
    oidcProvider.save(call, { ...row, clientIds: row.clientIds.filter((id) => id !== input.ClientID) })
    return {}
  })

export const updateOpenIdConnectProviderThumbprint = iam
  .operation('UpdateOpenIDConnectProviderThumbprint')
  .on(oidcProvider.named('OpenIDConnectProviderArn'))
  .run((call, input, row) => {
    oidcProvider.save(call, { ...row, thumbprints: checkedThumbprints(input.ThumbprintList) })
    return {}
  })

export const deleteOpenIdConnectProvider = iam
  .operation('DeleteOpenIDConnectProvider')
  .on(perhaps)
  .run(async (call, _input, row) => {
    if (!row) return {}
    oidcProvider.remove(call, row)
    await count(call, 'OpenIdConnectProviders', -1)
    return {}
  })

const withoutScheme = (url: string): string => url.replace(/^https:\/\//i, '')

/** OpenID Connect Core §2: an issuer is an https URL without query or fragment; AWS takes no port either. */
function issuerOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:' || /[?#@\s]/.test(url) || /^https:\/\/[^/]*:/i.test(url)) {
    throw iam.fail('InvalidInputException', 'Invalid Open ID Connect Provider URL')
  }
  return withoutScheme(url)
}

function checkedThumbprints(thumbprints: readonly string[]): readonly string[] {
  if (thumbprints.length > THUMBPRINTS_MAX) {
    throw iam.fail('InvalidInputException', `Thumbprint list must contain fewer than ${THUMBPRINTS_MAX + 1} entries.`)
  }
  if (thumbprints.some((thumbprint) => !/^[0-9a-f]{40}$/i.test(thumbprint))) {
    throw iam.fail('InvalidInputException', 'Invalid SHA1 Certificate thumbprint.')
  }
  return thumbprints
}

function withinClientIds(clientIds: readonly string[]): void {
  if (clientIds.length <= CLIENT_IDS_MAX) return
  throw iam.fail(
    'LimitExceededException',
    `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${CLIENT_IDS_MAX}`,
  )
}

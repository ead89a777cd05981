/** OpenID Connect providers: whose tokens `AssumeRoleWithWebIdentity` may believe, and for which audiences. */
import type { Row } from '../../../kernel/resource/facts.ts'
import { count } from '../counts.ts'
import { listedTags, shownTags, tagRules } from '../tags.ts'
import { date, iam } from '../words.ts'

export interface OidcProviderRow extends Row {
  /** The issuer without `https://`: the part after `oidc-provider/` in the ARN. */
  readonly issuer: string
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, hexadecimal. Empty: the certificate authorities that the system trusts. */
  readonly thumbprints: readonly string[]
  readonly createdAt: number
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const CLIENT_IDS_MAX = 100
const THUMBPRINTS_MAX = 5

export const oidcProvider = iam.resource({
  kind: 'oidc-provider',
  type: 'AWS::IAM::OIDCProvider',
  arn: 'arn:${Partition}:iam::${Account}:oidc-provider/${OidcProviderName}',
  // Issuers have paths.
  patterns: { OidcProviderName: '[^:?#@\\s]+' },
  storedPer: 'account',
  idOf: (row: OidcProviderRow) => ({ OidcProviderName: row.issuer }),
  tags: tagRules('iam:TagOpenIDConnectProvider'),
  faults: {
    notFound: (arn) => iam.fail('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${arn}`),
    invalidReference: (text) => iam.fail('InvalidInputException', `ARN ${text} is not valid.`),
    alreadyExists: (_arn, { OidcProviderName }) =>
      iam.fail('EntityAlreadyExistsException', `Provider with url https://${OidcProviderName} already exists.`),
  },
})

const providerNamed = oidcProvider.named('OpenIDConnectProviderArn')

export const createOpenIdConnectProvider = iam
  .operation('CreateOpenIDConnectProvider')
  .on(oidcProvider.created((input: { readonly Url: string }) => ({ OidcProviderName: issuerOf(input.Url) })))
  .run(async (call, input, { id, arn, tags, assertAvailable, create }) => {
    assertAvailable()
    const clientIds = [...new Set(input.ClientIDList)]
    withinClientIds(clientIds)
    const thumbprints = checkedThumbprints(input.ThumbprintList ?? [])
    await count(call, 'OpenIdConnectProviders', 1)

    const row = create({ issuer: id.OidcProviderName, clientIds, thumbprints, createdAt: call.now, tags })
    return { OpenIDConnectProviderArn: arn, ...shownTags(row) }
  })

export const getOpenIdConnectProvider = iam
  .operation('GetOpenIDConnectProvider')
  .on(providerNamed)
  .run((_call, _input, { row }) => ({
    Url: row.issuer,
    ClientIDList: [...row.clientIds],
    ThumbprintList: [...row.thumbprints],
    CreateDate: date(row.createdAt),
    ...shownTags(row),
  }))

export const listOpenIdConnectProviders = iam
  .operation('ListOpenIDConnectProviders')
  .on(oidcProvider.collection())
  .run(async (call, _input, providers) => ({
    OpenIDConnectProviderList: (await providers.all()).map((row) => ({ Arn: oidcProvider.arnOf(call, row) })),
  }))

export const addClientIdToOpenIdConnectProvider = iam
  .operation('AddClientIDToOpenIDConnectProvider')
  .on(providerNamed)
  .run((_call, input, { row, save }) => {
    const clientIds = [...new Set([...row.clientIds, input.ClientID])]
    withinClientIds(clientIds)
    save({ ...row, clientIds })
    return {}
  })

export const removeClientIdFromOpenIdConnectProvider = iam
  .operation('RemoveClientIDFromOpenIDConnectProvider')
  .on(providerNamed)
  .run((_call, input, { row, save }) => {
    save({ ...row, clientIds: row.clientIds.filter((id) => id !== input.ClientID) })
    return {}
  })

export const updateOpenIdConnectProviderThumbprint = iam
  .operation('UpdateOpenIDConnectProviderThumbprint')
  .on(providerNamed)
  .run((_call, input, { row, save }) => {
    save({ ...row, thumbprints: checkedThumbprints(input.ThumbprintList) })
    return {}
  })

export const deleteOpenIdConnectProvider = iam
  .operation('DeleteOpenIDConnectProvider')
  // AWS documents it as idempotent.
  .on(oidcProvider.optional('OpenIDConnectProviderArn'))
  .run(async (call, _input, provider) => {
    if (!provider) return {}
    provider.remove()
    await count(call, 'OpenIdConnectProviders', -1)
    return {}
  })

export const oidcProviderTagging = iam.tagging(oidcProvider, {
  tag: 'TagOpenIDConnectProvider',
  untag: 'UntagOpenIDConnectProvider',
  list: 'ListOpenIDConnectProviderTags',
  resource: 'OpenIDConnectProviderArn',
  listed: listedTags,
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

/** Identity providers of a pool: SAML, OpenID Connect and the social ones; and users of theirs that belong to ours. */
import type { IdentityProviderType, IdentityProviderTypeType } from '@aws-sdk/client-cognito-identity-provider'
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed, sealedAt } from './resources.ts'
import { metadataDetails, readMetadata, requireKey, type SamlProviderMetadata } from './saml-provider.ts'
import { findUser, type LinkedIdentity, linkKey, saveUser, type UserRow, userMissing } from './user-rows.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const PROVIDERS_MAX = 300
const LINKS_MAX = 5
const PAGE = 60

export interface ProviderRow {
  readonly name: string
  readonly type: IdentityProviderTypeType
  /** Without secrets, which are sealed beside them. */
  readonly details: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, Sealed>>
  readonly mapping: Readonly<Record<string, string>>
  readonly identifiers: readonly string[]
  /** Of SAML providers. */
  readonly saml?: SamlProviderMetadata
  readonly createdAt: number
  readonly modifiedAt: number
}

/** Details that only the provider and the pool may know. */
const SECRETS = ['client_secret', 'private_key']

const SOCIAL = ['Facebook', 'Google', 'LoginWithAmazon', 'SignInWithApple'] as const

/** What each type of provider needs, and where the social ones are. */
const NEEDS: Readonly<Record<IdentityProviderTypeType, readonly string[]>> = {
  SAML: [],
  OIDC: ['client_id', 'authorize_scopes', 'oidc_issuer'],
  Facebook: ['client_id', 'client_secret', 'authorize_scopes'],
  Google: ['client_id', 'client_secret', 'authorize_scopes'],
  LoginWithAmazon: ['client_id', 'client_secret', 'authorize_scopes'],
  SignInWithApple: ['client_id', 'team_id', 'key_id', 'private_key', 'authorize_scopes'],
}

/** What AWS adds to the details of social providers. */
const ADDED: Readonly<Partial<Record<IdentityProviderTypeType, Readonly<Record<string, string>>>>> = {
  Google: {
    attributes_url: 'https://people.googleapis.com/v1/people/me?personFields=',
    attributes_url_add_attributes: 'true',
    authorize_url: 'https://accounts.google.com/o/oauth2/v2/auth',
    oidc_issuer: 'https://accounts.google.com',
    token_request_method: 'POST',
    token_url: 'https://www.googleapis.com/oauth2/v4/token',
  },
  LoginWithAmazon: {
    attributes_url: 'https://api.amazon.com/user/profile',
    attributes_url_add_attributes: 'false',
    authorize_url: 'https://www.amazon.com/ap/oa',
    token_request_method: 'POST',
    token_url: 'https://api.amazon.com/auth/o2/token',
  },
  SignInWithApple: {
    attributes_url_add_attributes: 'false',
    authorize_url: 'https://appleid.apple.com/auth/authorize',
    oidc_issuer: 'https://appleid.apple.com',
    token_request_method: 'POST',
    token_url: 'https://appleid.apple.com/auth/token',
  },
}

const MAPPING_DEFAULT: Readonly<Partial<Record<IdentityProviderTypeType, Readonly<Record<string, string>>>>> = {
  OIDC: { username: 'sub' },
  Google: { username: 'sub' },
  SignInWithApple: { username: 'sub' },
  Facebook: { username: 'id' },
  LoginWithAmazon: { username: 'user_id' },
}

function checkDetails(type: IdentityProviderTypeType, details: Readonly<Record<string, string>>): void {
  const missing = NEEDS[type].filter((name) => !details[name])
  if (missing.length > 0)
    throw invalidParameter(`${type} identity providers need ${missing.join(', ')} in ProviderDetails.`)
  if (type === 'SAML' && !details['MetadataURL'] === !details['MetadataFile'])
    throw invalidParameter('SAML identity providers need either MetadataURL or MetadataFile in ProviderDetails.')
  for (const name of ['oidc_issuer', 'authorize_url', 'token_url', 'attributes_url', 'jwks_uri', 'MetadataURL']) {
    const url = details[name]
    if (url !== undefined && url !== '' && (!URL.canParse(url) || new URL(url).protocol !== 'https:'))
      throw invalidParameter(`${name} must be an HTTPS URL.`)
  }
}

function checkMapping({ schema }: PoolRow, mapping: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(mapping))
    if (name !== 'username' && !schema.some(({ Name }) => Name === name))
      throw invalidParameter(`Attribute mapping names ${name}, which the user pool has not.`)
}

const placeOf = (pool: PoolRow, name: string, detail: string) =>
  sealedAt(pool, `provider-${detail}`, `${pool.id}/${name}`)

function split(call: Call, pool: PoolRow, name: string, details: Readonly<Record<string, string>>) {
  const secrets = Object.fromEntries(
    SECRETS.flatMap((detail) =>
      details[detail] ? [[detail, call.vault.seal(placeOf(pool, name, detail), Buffer.from(details[detail]))]] : [],
    ),
  ) as Record<string, Sealed>
  return {
    details: Object.fromEntries(Object.entries(details).filter(([detail]) => !SECRETS.includes(detail))),
    secrets,
  }
}

/** With the secrets: for callers who may describe the provider, and for signing in with it. */
export function openDetails(
  call: Pick<Call, 'vault'>,
  pool: PoolRow,
  row: ProviderRow,
): Readonly<Record<string, string>> {
  const secrets = Object.entries(row.secrets).map(([detail, sealed]) => [
    detail,
    call.vault.open(placeOf(pool, row.name, detail), sealed).toString('utf8'),
  ])
  return { ...row.details, ...Object.fromEntries(secrets) }
}

/** The metadata; and the pool's key, so that every later request can be signed. */
async function samlOf(call: Call, pool: PoolRow, details: Readonly<Record<string, string>>) {
  await requireKey(call, pool)
  return readMetadata(call, details)
}

const shown = (call: Call, pool: PoolRow, row: ProviderRow): IdentityProviderType => ({
  UserPoolId: pool.id,
  ProviderName: row.name,
  ProviderType: row.type,
  ProviderDetails: { ...openDetails(call, pool, row), ...(row.saml && metadataDetails(row.saml)) },
  AttributeMapping: { ...row.mapping },
  IdpIdentifiers: [...row.identifiers],
  CreationDate: new Date(row.createdAt),
  LastModifiedDate: new Date(row.modifiedAt),
})

export async function requireProvider(reader: Reader, pool: PoolRow, name: string): Promise<ProviderRow> {
  const row = await reader.get<ProviderRow>(at.provider(pool.id, name))
  if (!row) throw notFound(`Identity provider ${name} does not exist.`)
  return row
}

const providersOf = async (reader: Reader, pool: PoolRow): Promise<readonly ProviderRow[]> =>
  (await reader.range<ProviderRow>(under('cognito-idp', 'provider', pool.id))).map(({ document }) => document)

export async function providerByIdentifier(
  reader: Reader,
  pool: PoolRow,
  identifier: string,
): Promise<ProviderRow | undefined> {
  return (await providersOf(reader, pool)).find(({ identifiers }) => identifiers.includes(identifier))
}

async function checkIdentifiers(
  call: Call,
  pool: PoolRow,
  name: string,
  identifiers: readonly string[],
): Promise<void> {
  for (const other of await providersOf(call.unit, pool))
    if (other.name !== name && other.identifiers.some((each) => identifiers.includes(each)))
      throw cognito.fail('DuplicateProviderException', 'An identifier is in use by another identity provider.')
}

export const createIdentityProvider = cognito
  .operation('CreateIdentityProvider')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { ProviderName: name, ProviderType: type } = input
    if (name === 'COGNITO') throw invalidParameter('COGNITO is the name of the user pool itself.')
    if ((SOCIAL as readonly string[]).includes(type) && name !== type)
      throw invalidParameter(`The name of a provider of type ${type} must be ${type}.`)
    const key = at.provider(pool.id, name)
    if (await call.unit.get(key))
      throw cognito.fail(
        'DuplicateProviderException',
        `A provider with the name ${name} already exists in the user pool ${pool.id}.`,
      )
    if ((await providersOf(call.unit, pool)).length >= PROVIDERS_MAX)
      throw cognito.fail('LimitExceededException', 'The user pool has as many identity providers as it may.')
    checkDetails(type, input.ProviderDetails)
    checkMapping(pool, input.AttributeMapping ?? {})
    await checkIdentifiers(call, pool, name, input.IdpIdentifiers ?? [])
    const row: ProviderRow = {
      name,
      type,
      ...split(call, pool, name, { ...ADDED[type], ...input.ProviderDetails }),
      mapping: { ...MAPPING_DEFAULT[type], ...input.AttributeMapping },
      identifiers: input.IdpIdentifiers ?? [],
      ...(type === 'SAML' && { saml: await samlOf(call, pool, input.ProviderDetails) }),
      createdAt: call.now,
      modifiedAt: call.now,
    }
    call.unit.put(key, row)
    return { IdentityProvider: shown(call, pool, row) }
  })

export const describeIdentityProvider = cognito
  .operation('DescribeIdentityProvider')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({
    IdentityProvider: shown(call, row, await requireProvider(call.unit, row, input.ProviderName)),
  }))

export const getIdentityProviderByIdentifier = cognito
  .operation('GetIdentityProviderByIdentifier')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const found = await providerByIdentifier(call.unit, row, input.IdpIdentifier)
    if (!found) throw notFound(`Identity provider ${input.IdpIdentifier} does not exist.`)
    return { IdentityProvider: shown(call, row, found) }
  })

export const updateIdentityProvider = cognito
  .operation('UpdateIdentityProvider')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const before = await requireProvider(call.unit, pool, input.ProviderName)
    const details = input.ProviderDetails && { ...ADDED[before.type], ...input.ProviderDetails }
    if (details) checkDetails(before.type, details)
    if (input.AttributeMapping) checkMapping(pool, input.AttributeMapping)
    if (input.IdpIdentifiers) await checkIdentifiers(call, pool, before.name, input.IdpIdentifiers)
    const row: ProviderRow = {
      ...before,
      ...(details && split(call, pool, before.name, details)),
      ...(details && before.type === 'SAML' && { saml: await samlOf(call, pool, details) }),
      ...(input.AttributeMapping && { mapping: { ...MAPPING_DEFAULT[before.type], ...input.AttributeMapping } }),
      ...(input.IdpIdentifiers && { identifiers: input.IdpIdentifiers }),
      modifiedAt: call.now,
    }
    call.unit.put(at.provider(pool.id, row.name), row)
    return { IdentityProvider: shown(call, pool, row) }
  })

export const deleteIdentityProvider = cognito
  .operation('DeleteIdentityProvider')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { name } = await requireProvider(call.unit, pool, input.ProviderName)
    call.unit.delete(at.provider(pool.id, name))
    return {}
  })

export const listIdentityProviders = cognito
  .operation('ListIdentityProviders')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { items, next } = await page<ProviderRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'provider', pool.id), { after, limit }),
      {
        token: input.NextToken,
        size: input.MaxResults ?? PAGE,
        query: pool.id,
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return {
      Providers: items.map(({ name, type, createdAt, modifiedAt }) => ({
        ProviderName: name,
        ProviderType: type,
        CreationDate: new Date(createdAt),
        LastModifiedDate: new Date(modifiedAt),
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

interface ProviderUser {
  readonly ProviderName?: string | undefined
  readonly ProviderAttributeName?: string | undefined
  readonly ProviderAttributeValue?: string | undefined
}

export const adminLinkProviderForUser = cognito
  .operation('AdminLinkProviderForUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const source = input.SourceUser as ProviderUser
    const target = input.DestinationUser as ProviderUser
    const provider = await requireProvider(call.unit, pool, source.ProviderName ?? '')
    const userId = source.ProviderAttributeValue ?? ''
    if (userId === '') throw invalidParameter('SourceUser.ProviderAttributeValue is required.')
    const user = await findUser(call.unit, pool, target.ProviderAttributeValue ?? '')
    if (!user) throw userMissing()
    const key = linkKey(pool.id, provider.name, userId)
    const taken = await call.unit.get<{ readonly sub: string }>(key)
    if (taken && taken.sub !== user.sub) throw invalidParameter('SourceUser is already linked to DestinationUser')
    if (user.identities.length >= LINKS_MAX)
      throw cognito.fail('LimitExceededException', `A user can have at most ${LINKS_MAX} linked identities.`)
    const link: LinkedIdentity = {
      provider: provider.name,
      type: provider.type,
      userId,
      isPrimary: false,
      linkedAt: call.now,
    }
    call.unit.put(key, { sub: user.sub })
    await saveUser(call.unit, pool, user, { ...user, identities: [...user.identities, link], modifiedAt: call.now })
    return {}
  })

export const adminDisableProviderForUser = cognito
  .operation('AdminDisableProviderForUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { ProviderName: name = '', ProviderAttributeValue: userId = '' } = input.User as ProviderUser
    const key = linkKey(pool.id, name, userId)
    const linked = await call.unit.get<{ readonly sub: string }>(key)
    const user = linked && (await call.unit.get<UserRow>(at.user(pool.id, linked.sub)))
    if (!user) throw userMissing()
    call.unit.delete(key)
    const identities = user.identities.filter((each) => each.provider !== name || each.userId !== userId)
    await saveUser(call.unit, pool, user, { ...user, identities, modifiedAt: call.now })
    return {}
  })

/**
 * Claims that become principal tags of the sessions of a pool.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/using-attributes-for-access-control.html
 */
import type { VerifiedLogin } from './logins.ts'
import {
  cognitoIdentity,
  invalidParameter,
  type PoolRow,
  pool,
  poolArn,
  poolWithoutType,
  type TagMapping,
} from './resources.ts'

const DEFAULTS: TagMapping['tags'] = { username: 'sub', client: 'aud' }
const VALUE_LENGTH_MAX = 256
const MAPPINGS_MAX = 50

/** The tags of a session. Claims that are no single values are left out. */
export function principalTagsOf(
  { tagMappings }: PoolRow,
  logins: readonly VerifiedLogin[],
): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {}
  for (const { provider, mappingKey, claims } of logins) {
    const mapping = tagMappings[mappingKey] ?? tagMappings[provider]
    for (const [name, claim] of Object.entries(mapping?.useDefaults ? DEFAULTS : (mapping?.tags ?? {}))) {
      const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
      const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      if (isScalar && String(value).length <= VALUE_LENGTH_MAX) tags[name] = String(value)
    }
  }
  return tags
}

const shown = (id: string, provider: string, { useDefaults, tags }: TagMapping) => ({
  IdentityPoolId: id,
  IdentityProviderName: provider,
  UseDefaults: useDefaults,
  PrincipalTags: { ...(useDefaults ? DEFAULTS : tags) },
})

export const setPrincipalTagAttributeMap = cognitoIdentity
  .operation('SetPrincipalTagAttributeMap')
  .on(poolWithoutType())
  .run((call, input, { row, save }) => {
    call.event.resources = [{ arn: poolArn(call, row), type: pool.spec.type, account: row.account }]
    const { IdentityProviderName: provider } = input
    const useDefaults = input.UseDefaults ?? input.PrincipalTags === undefined
    const mapping: TagMapping = { useDefaults, tags: useDefaults ? {} : { ...input.PrincipalTags } }
    const tagMappings = { ...row.tagMappings, [provider]: mapping }
    if (Object.keys(tagMappings).length > MAPPINGS_MAX)
      throw invalidParameter(`An identity pool can map tags of at most ${MAPPINGS_MAX} providers.`)
    save({ ...row, tagMappings })
    return shown(row.id, provider, mapping)
  })

export const getPrincipalTagAttributeMap = cognitoIdentity
  .operation('GetPrincipalTagAttributeMap')
  .on(pool.named('IdentityPoolId'))
  .run((_call, { IdentityProviderName: provider }, { row }) => {
    const mapping = Object.hasOwn(row.tagMappings, provider)
      ? row.tagMappings[provider]!
      : { useDefaults: false, tags: {} }
    return shown(row.id, provider, mapping)
  })

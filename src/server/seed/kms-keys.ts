/** Seeds of KMS: customer managed keys with their aliases. Key material is never exported. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { type Account, compact, documentOf, inTurn, pagesOf, seedPart, seedTags, tagsOf, textOf } from './part.ts'

const kms: Api<typeof KMS> = { id: 'kms' }
const PREFIX = 'alias/'
const KEY_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/

const aliasName = (alias: string): string => (alias.startsWith(PREFIX) ? alias : PREFIX + alias)

async function exists({ call }: Account, KeyId: string): Promise<boolean> {
  return call(kms, 'DescribeKey', { KeyId }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Fault && error.code === 'NotFoundException') return false
      throw error
    },
  )
}

export const kmsKeys = seedPart({
  kind: 'kmsKeys',
  labels: ['alias', 'id'],
  members: {
    id: true,
    alias: true,
    aliases: true,
    description: true,
    spec: true,
    usage: true,
    policy: true,
    tags: true,
    rotationDays: true,
    enabled: true,
  },
  add: async (account, key, step) => {
    const { call } = account
    const { id, alias, aliases = [], rotationDays } = key
    const what = `KMS key '${alias ?? id}'`
    let KeyId = ''
    await step([], what, async () => {
      if (id !== undefined && !KEY_ID.test(id))
        throw new Error(`'${id}' is not a key ID: write a UUID in lower case, or mrk- and 32 hexadecimal digits.`)
      if (id !== undefined && (await exists(account, id))) throw new Error('The account has a key of this ID.')
      const made = await call(
        kms,
        'CreateKey',
        {
          Description: key.description,
          KeySpec: key.spec as KMS.KeySpec | undefined,
          KeyUsage: key.usage as KMS.KeyUsageType | undefined,
          Policy: key.policy && textOf(key.policy),
          MultiRegion: id?.startsWith('mrk-') || undefined,
          Tags: tagsOf(key.tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
        },
        id,
      )
      KeyId = made.KeyMetadata!.KeyId!
    })
    for (const name of [...(alias === undefined ? [] : [alias]), ...aliases])
      await step([], `alias '${name}' of ${what}`, () =>
        call(kms, 'CreateAlias', { AliasName: aliasName(name), TargetKeyId: KeyId }),
      )
    if (rotationDays !== undefined)
      await step(['rotationDays'], `the rotation of ${what}`, () =>
        call(kms, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: rotationDays }),
      )
    if (key.enabled === false) await step(['enabled'], what, () => call(kms, 'DisableKey', { KeyId }))
  },
  export: async ({ id: account, call }, leaveOut) => {
    const keys = await pagesOf(async (Marker) => {
      const page = await call(kms, 'ListKeys', { Marker })
      return { items: page.Keys, next: page.NextMarker }
    })
    const described = await inTurn(
      keys,
      async ({ KeyId = '' }) => (await call(kms, 'DescribeKey', { KeyId })).KeyMetadata!,
    )
    const own = described
      .filter(({ KeyManager }) => KeyManager === 'CUSTOMER')
      .filter(({ KeyId, KeyState, Origin, MultiRegionConfiguration }) => {
        const why =
          KeyState !== 'Enabled' && KeyState !== 'Disabled'
            ? `is in the state ${KeyState}`
            : Origin === 'EXTERNAL'
              ? 'has imported key material'
              : MultiRegionConfiguration?.MultiRegionKeyType === 'REPLICA'
                ? 'is a replica'
                : undefined
        if (why !== undefined) leaveOut(`the KMS key ${KeyId} of account ${account}, which ${why}`)
        return why === undefined
      })
    if (own.length > 0)
      leaveOut(`the key material of account ${account}: a seeded key has the same ID, and opens no older ciphertext`)
    return inTurn(own, async (metadata) => {
      const { KeyId = '', KeyState, KeySpec, KeyUsage, Description } = metadata
      const { Aliases = [] } = await call(kms, 'ListAliases', { KeyId })
      const { Policy = '' } = await call(kms, 'GetKeyPolicy', { KeyId })
      const { Tags = [] } = await call(kms, 'ListResourceTags', { KeyId })
      const rotates = KeySpec === 'SYMMETRIC_DEFAULT' ? await call(kms, 'GetKeyRotationStatus', { KeyId }) : undefined
      const [alias, ...aliases] = Aliases.map(({ AliasName = '' }) => AliasName.slice(PREFIX.length))
      return {
        id: KeyId,
        ...compact({
          alias,
          aliases,
          description: Description === '' ? undefined : Description,
          spec: KeySpec === 'SYMMETRIC_DEFAULT' ? undefined : KeySpec,
          usage: KeyUsage === 'ENCRYPT_DECRYPT' ? undefined : KeyUsage,
          tags: seedTags(Tags.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue }))),
          rotationDays: rotates?.KeyRotationEnabled ? rotates.RotationPeriodInDays : undefined,
        }),
        ...(KeyState === 'Disabled' && { enabled: false }),
        policy: documentOf(Policy),
      }
    })
  },
})

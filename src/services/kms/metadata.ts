/** A key as DescribeKey shows it. */
import type * as KMS from '@aws-sdk/client-kms'
import { shownMaterialId } from './key-materials.ts'
import { algorithmsOf } from './key-specs.ts'
import { arnOf, keyArn } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { date } from './words.ts'

export function metadataOf(row: KeyRow) {
  const { deletion } = row
  const materialId = shownMaterialId(row)
  const expiring = row.origin === 'EXTERNAL' ? row.materials.find(({ id }) => id === row.current) : undefined
  return {
    AWSAccountId: row.account,
    KeyId: row.id,
    Arn: arnOf(row),
    CreationDate: date(row.createdAt),
    Enabled: row.state === 'Enabled',
    Description: row.description,
    KeyUsage: row.usage,
    KeyState: row.state,
    Origin: row.origin,
    KeyManager: row.manager,
    CustomerMasterKeySpec: row.spec as KMS.CustomerMasterKeySpec,
    KeySpec: row.spec,
    ...algorithmsOf(row),
    MultiRegion: row.multiRegion !== undefined,
    ...(row.multiRegion && { MultiRegionConfiguration: relationsOf(row) }),
    ...(materialId !== undefined && { CurrentKeyMaterialId: materialId }),
    ...(row.state === 'PendingDeletion' && deletion?.at !== undefined && { DeletionDate: date(deletion.at) }),
    ...(row.state === 'PendingReplicaDeletion' && { PendingDeletionWindowInDays: deletion!.windowDays }),
    ...(expiring?.sealed && {
      ExpirationModel: expiring.expiresAt === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
    }),
    ...(expiring?.sealed && expiring.expiresAt !== undefined && { ValidTo: date(expiring.expiresAt) }),
  } satisfies KMS.KeyMetadata
}

function relationsOf(row: KeyRow) {
  const { primary, replicas } = row.multiRegion!
  const shown = (region: string) => ({ Arn: keyArn({ account: row.account, region }, row.id), Region: region })
  return {
    MultiRegionKeyType: primary === row.region ? ('PRIMARY' as const) : ('REPLICA' as const),
    PrimaryKey: shown(primary),
    ReplicaKeys: replicas.map(shown),
  }
}

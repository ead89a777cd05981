/**
 * The condition keys of Secrets Manager.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Secret } from './resources.ts'

/** Keys of the authorization reference that no request supplies, and why. */
export const absentKeys: AbsentKeys = {
  'secretsmanager:CreateSecret secretsmanager:resource/AllowRotationLambdaArn':
    'The secret has no rotation before it exists.',
  'secretsmanager:CreateSecret secretsmanager:resource/Type': 'The secret has no type before it exists.',
}

/** Members of the input that policies may test by their names. */
const FROM_INPUT = [
  'Name',
  'Description',
  'KmsKeyId',
  'Type',
  'VersionId',
  'VersionStage',
  'RotationLambdaARN',
  'BlockPublicPolicy',
  'RotateImmediately',
  'ExternalSecretRotationRoleArn',
  'RecoveryWindowInDays',
  'ForceDeleteWithoutRecovery',
  'ForceOverwriteReplicaSecret',
] as const

/** For operations that choose the key of a secret: the one that is named, or else the one that it has. */
export async function keysWithKmsKey(
  input: { readonly KmsKeyId?: string | undefined },
  call: Call,
  secret: Secret | undefined,
): Promise<Conditions> {
  const { scope, row } = secret ?? { scope: call, row: undefined }
  const reference = input.KmsKeyId || (input.KmsKeyId === undefined && row?.kmsKeyId) || DEFAULT_KEY
  return {
    ...keys(input, call, secret),
    'secretsmanager:KmsKeyArn': await call.ports.keys.arnOf(call.unit, scope, reference),
  }
}

/** The account's own key for secrets. */
export const DEFAULT_KEY = 'alias/aws/secretsmanager'

/** The same for every operation: the secret it names, and its input. */
export function keys(input: object, _call: Call, secret: Secret | undefined): Conditions {
  const given = input as Readonly<Record<string, unknown>>
  const found: Record<string, string | readonly string[] | undefined> = {}
  for (const name of FROM_INPUT) {
    const value = given[name]
    if (value !== undefined) found[`secretsmanager:${name}`] = String(value)
  }
  const regions = given['AddReplicaRegions'] as readonly { Region?: string }[] | undefined
  if (regions) found['secretsmanager:AddReplicaRegions'] = regions.map(({ Region = '' }) => Region)
  if ('RotationRules' in given)
    found['secretsmanager:ModifyRotationRules'] = String(given['RotationRules'] !== undefined)
  if (!secret) return found

  const { row, scope, arn } = secret
  found['secretsmanager:SecretId'] = arn
  found['secretsmanager:SecretPrimaryRegion'] = row.primaryRegion ?? scope.region
  found['secretsmanager:resource/AllowRotationLambdaArn'] = row.rotation?.functionArn
  found['secretsmanager:resource/Type'] = row.type
  for (const [tag, value] of Object.entries(row.tags ?? {})) found[`secretsmanager:ResourceTag/${tag}`] = value
  return found
}

/** Secrets as a whole: created, described, changed, deleted and restored. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { cancelJob, scheduleJob } from '../../kernel/jobs/jobs.ts'
import { listTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { NewResource } from '../../kernel/resource/targets.ts'
import { randomText } from '../../kernel/service/id.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { keys, keysWithKmsKey } from './conditions.ts'
import { eventOf } from './events.ts'
import { CURRENT } from './labels.ts'
import { refusals } from './messages.ts'
import { replicated, saveEverywhere, withReplicas } from './replicas.ts'
import {
  alive,
  arnOf,
  invalidParameter,
  invalidRequest,
  type NamesSecret,
  nameIn,
  primary,
  type Secret,
  type SecretId,
  type SecretRow,
  secretNamed,
  secrets,
  secretsmanager,
  secretType,
  withToken,
} from './resources.ts'
import { forgetAttempt, postponed, scheduled } from './rotating.ts'
import { givenValue, resealed } from './values.ts'
import { added, addVersion, isThere } from './versions.ts'

const DAY_MS = 86_400_000
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const toCreate: Target<{ readonly Name: string }, NewResource<SecretId, SecretRow>> = {
  find: (call, input) => {
    // A secret that a customer creates has no mark of a managed one in its name.
    if (!NAME.test(input.Name)) throw refusals.name()
    return newSecret.find(call, input)
  },
}
const newSecret = secretType.created(({ Name }: { readonly Name: string }) => ({ name: Name }))

export const createSecret = secretsmanager
  .operation('CreateSecret')
  .on(withToken(toCreate))
  .conditions((input, call) => keysWithKmsKey(input, call, undefined))
  .run(async (call, input, { scope, id, tags, create }) => {
    const token = input.ClientRequestToken!
    const value = givenValue(input)
    const taken = await secrets.get(call, call, input.Name)
    if (taken) return again(call, taken, token, input)

    const row: SecretRow = {
      name: input.Name,
      suffix: randomText(SUFFIX, 6),
      versions: [],
      createdAt: call.now,
      changedAt: call.now,
      description: input.Description || undefined,
      kmsKeyId: input.KmsKeyId || undefined,
      type: input.Type,
      // None at all, until there was one: see `described`.
      ...(input.Tags?.length && { tags }),
    }
    const arn = secretType.arn(scope, id, row)
    let secret: Secret = { scope, row, arn }
    if (value) secret = await added(call, secret, token, value, [CURRENT])
    if (input.AddReplicaRegions?.length) {
      await call.authorize('secretsmanager:ReplicateSecretToRegions', arn, keys(input, call, secret))
      secret = await withReplicas(call, secret, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret ?? false)
    }
    create(secret.row)
    return {
      ARN: arn,
      Name: input.Name,
      ...(value && { VersionId: token }),
      ...(secret.row.replicas && { ReplicationStatus: replicated(secret.row) }),
    }
  })

/** The name is taken: succeeds when it is the same request again. */
async function again(
  call: Call,
  row: SecretRow,
  token: string,
  input: { readonly SecretString?: string | undefined; readonly SecretBinary?: Uint8Array | undefined },
) {
  if (row.deletion) {
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
  }
  const secret: Secret = { scope: call, row, arn: arnOf(call, row) }
  const value = givenValue(input)
  const version = row.versions.find(({ id }) => id === token)
  // A version without a value belongs to a rotation: permission to create secrets does not allow to put this value.
  if (version?.kmsKeyArn === undefined || !value) {
    throw secretsmanager.fail(
      'ResourceExistsException',
      `The operation failed because the secret ${row.name} already exists.`,
    )
  }
  await addVersion(call, secret, token, value, [CURRENT])
  return { ARN: secret.arn, Name: row.name, VersionId: token }
}

export const describeSecret = secretsmanager
  .operation('DescribeSecret')
  .on(secretNamed)
  .conditions(keys)
  .run((_call, _input, { row, arn }) => ({ ARN: arn, ...described(row), VersionIdsToStages: stagesOf(row) }))

/** What DescribeSecret and ListSecrets return alike; what is not set is left out. */
export function described(row: SecretRow) {
  const { rotation, deletion } = row
  return {
    Name: row.name,
    ...(row.type !== undefined && { Type: row.type }),
    ...(row.description && { Description: row.description }),
    ...(row.kmsKeyId !== undefined && { KmsKeyId: row.kmsKeyId }),
    ...(rotation && {
      RotationEnabled: rotation.enabled,
      ...(rotation.functionArn && { RotationLambdaARN: rotation.functionArn }),
      RotationRules: rotation.rules,
      ...(rotation.lastRotatedAt !== undefined && { LastRotatedDate: new Date(rotation.lastRotatedAt) }),
      ...(rotation.enabled && rotation.nextAt !== undefined && { NextRotationDate: new Date(rotation.nextAt) }),
    }),
    LastChangedDate: new Date(row.changedAt),
    ...(row.lastAccessedDay !== undefined && { LastAccessedDate: new Date(row.lastAccessedDay) }),
    ...(deletion && { DeletedDate: new Date(deletion.askedAt) }),
    // AWS shows an empty list once the last tag was taken away.
    ...(row.tags && { Tags: listTags(row.tags) }),
    CreatedDate: new Date(row.createdAt),
    ...(row.primaryRegion !== undefined && { PrimaryRegion: row.primaryRegion }),
    ...(row.replicas && { ReplicationStatus: replicated(row) }),
  }
}

export function stagesOf({ versions }: SecretRow): Record<string, string[]> | undefined {
  const labelled = versions.filter(({ stages }) => stages.length > 0)
  return labelled.length === 0 ? undefined : Object.fromEntries(labelled.map(({ id, stages }) => [id, [...stages]]))
}

export const updateSecret = secretsmanager
  .operation('UpdateSecret')
  .on(withToken(secretNamed))
  .conditions(keysWithKmsKey)
  .run(async (call, input, found) => {
    alive(found)
    primary(found)
    const row: SecretRow = {
      ...found.row,
      ...(input.Description !== undefined && { description: input.Description || undefined }),
      ...(input.KmsKeyId !== undefined && { kmsKeyId: input.KmsKeyId || undefined }),
      ...(input.Type !== undefined && { type: input.Type }),
      changedAt: call.now,
    }
    let secret: Secret = { ...found, row }
    if (row.kmsKeyId !== found.row.kmsKeyId) secret = await underNewKey(call, found, secret)
    const value = givenValue(input)
    const token = input.ClientRequestToken!
    if (value && !(await isThere(call, secret, token, value))) {
      secret = await postponed(call, await added(call, secret, token, value, [CURRENT]))
    }
    await saveEverywhere(call, secret)
    return { ARN: secret.arn, Name: row.name, ...(value && { VersionId: token }) }
  })

/** AWS: the labelled versions are encrypted again under the new key; older ones stay under the old. */
async function underNewKey(call: Call, from: Secret, to: Secret): Promise<Secret> {
  const versions = []
  for (const version of to.row.versions) {
    const kmsKeyArn = version.stages.length > 0 ? await resealed(call, from, to, version.id) : undefined
    versions.push(kmsKeyArn === undefined ? version : { ...version, kmsKeyArn })
  }
  return { ...to, row: { ...to.row, versions } }
}

interface Deleting extends NamesSecret {
  readonly ForceDeleteWithoutRecovery?: boolean | undefined
}

/** AWS: a forced deletion of what does not exist succeeds. */
const toDelete: Target<Deleting, Secret | undefined> = {
  find: async (call, { SecretId = '', ForceDeleteWithoutRecovery: force }) => {
    const { acted, row, missing } = await secretType.find(call, SecretId)
    return row === undefined && force ? { acted, row } : { acted, row, ...(missing && { missing }) }
  },
}

export const deleteSecret = secretsmanager
  .operation('DeleteSecret')
  .on(toDelete)
  .conditions(keys)
  .run(async (call, input, found) => {
    const { RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force = false } = input
    if (force && days !== undefined) {
      throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    }
    if (days !== undefined && (days < 7 || days > 30)) {
      throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).')
    }
    if (!found) return gone(call, input.SecretId)

    const { row, scope, arn } = found
    if (!force) alive(found)
    primary(found)
    if (row.replicas?.length) {
      throw refusals.replicated(
        arn,
        row.replicas.map(({ region }) => region),
      )
    }
    await stopRotating(call, scope, row)
    if (force) {
      if (row.deletion) cancelJob(call.unit, row.deletion.job)
      secrets.remove(call, scope, row)
      return { ARN: arn, Name: row.name, DeletionDate: new Date(call.now) }
    }
    const at = call.now + (days ?? 30) * DAY_MS
    const payload: Doomed = { partition: scope.partition, account: scope.account, region: scope.region, name: row.name }
    const job = scheduleJob(call.unit, { id: arn, kind: 'secretsmanager.delete', dueAt: at, payload })
    secrets.save(call, scope, { ...row, deletion: { askedAt: call.now, at, job } })
    return { ARN: arn, Name: row.name, DeletionDate: new Date(at) }
  })

/** The answer for a secret that does not exist, by its name or its ARN. */
function gone(call: Call, reference: string) {
  const name = nameIn(reference)
  const ARN = name === reference ? arnOf(call, { name, suffix: randomText(SUFFIX, 6) }) : reference
  return { ARN, Name: name, DeletionDate: new Date(call.now) }
}

async function stopRotating(call: Call, scope: Scope, row: SecretRow): Promise<void> {
  if (row.rotation?.due !== undefined) cancelJob(call.unit, row.rotation.due)
  await forgetAttempt(call.unit, scope, row)
}

interface Doomed extends Scope {
  readonly name: string
}

/** The end of the recovery window. */
export const deleteJob: ServiceJob<Doomed> = {
  run: async (unit, { now }, scope) => {
    const row = await secrets.get({ unit }, scope, scope.name)
    // A later secret with the same name may be scheduled for a later day.
    if (!row?.deletion || row.deletion.at > now) return
    secrets.remove({ unit }, scope, row)
    eventOf(unit, scope, row, 'EndSecretVersionDelete', now)
  },
}

export const restoreSecret = secretsmanager
  .operation('RestoreSecret')
  .on(secretNamed)
  .conditions(keys)
  .run((call, _input, secret) => {
    primary(secret)
    const { row, scope, arn } = secret
    const { deletion, ...kept } = row
    if (deletion) {
      cancelJob(call.unit, deletion.job)
      // Rotations stopped with the deletion; a version that one of them left pending is not the current one.
      secrets.save(call, scope, scheduled(call.unit, scope, kept, row.rotation?.lastRotatedAt ?? call.now))
    }
    return { ARN: arn, Name: row.name }
  })

/** Secrets in several Regions: replicas follow their primary in the same commit. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { Fault } from '../../wire/fault.ts'
import { isRegion } from '../../wire/regions.ts'
import { keys } from './conditions.ts'
import {
  alive,
  arnOf,
  invalidParameter,
  invalidRequest,
  primary,
  type Replica,
  type Secret,
  type SecretRow,
  secretNamed,
  secrets,
  secretsmanager,
  type VersionMeta,
} from './resources.ts'
import { readValue, saveValue, type Value } from './values.ts'

interface Wanted {
  readonly Region?: string | undefined
  readonly KmsKeyId?: string | undefined
}

export function replicated({ replicas = [] }: SecretRow) {
  return replicas.map(({ region, kmsKeyId, status, message }) => ({
    Region: region,
    KmsKeyId: kmsKeyId ?? 'alias/aws/secretsmanager',
    Status: status,
    ...(message !== undefined && { StatusMessage: message }),
  }))
}

const scopeIn = (scope: Scope, region: string): Scope => ({ ...scope, region, partition: scope.partition })

/**
 * The replica with its primary's values: the same but for what each has of its own. `standing` is the previous state.
 */
function following(
  primaryRow: SecretRow,
  primaryRegion: string,
  { kmsKeyId }: Replica,
  standing: SecretRow | undefined,
): SecretRow {
  const { replicas: _1, rotation: _2, deletion: _3, lastAccessedDay: _4, ...same } = primaryRow
  const { lastAccessedDay } = standing ?? {}
  const versions = same.versions.map(({ kmsKeyArn: _key, lastAccessedDay: _day, ...version }): VersionMeta => {
    const held = standing?.versions.find(({ id }) => id === version.id)
    return { ...held, ...version }
  })
  return {
    ...same,
    versions,
    kmsKeyId,
    primaryRegion,
    ...(lastAccessedDay !== undefined && { lastAccessedDay }),
  }
}

/** Adds replicas to a secret that is not yet saved. */
export async function withReplicas(
  call: Call,
  secret: Secret,
  wanted: readonly Wanted[],
  overwrite: boolean,
): Promise<Secret> {
  const { scope } = secret
  let replicas: readonly Replica[] = secret.row.replicas ?? []
  const row: SecretRow = { ...secret.row, primaryRegion: scope.region }
  for (const { Region: region = '', KmsKeyId: kmsKeyId } of wanted) {
    if (!isRegion(region)) throw invalidParameter(`The Region ${region} is not valid.`)
    if (region === scope.region) throw invalidParameter('You cannot replicate a secret to the Region it is in.')
    if (replicas.some((replica) => replica.region === region)) {
      throw invalidRequest(`The secret is replicated to ${region} already.`)
    }
    const there = scopeIn(scope, region)
    const taken = await secrets.get(call, there, row.name)
    const replica: Replica = { region, ...(kmsKeyId && { kmsKeyId }), status: 'InSync' }
    if (taken && !overwrite) {
      const message = `Replication failed: the secret name ${row.name} already exists in Region ${region}.`
      replicas = [...replicas, { ...replica, status: 'Failed', message }]
      continue
    }
    if (taken) secrets.remove(call, there, taken)
    replicas = [...replicas, await followed(call, { ...secret, row }, replica)]
  }
  return { ...secret, row: { ...row, replicas } }
}

/** Writes one replica with every value of its primary that it lacks; an obstacle is reported in its status. */
async function followed(call: Call, secret: Secret, replica: Replica, only?: Valued): Promise<Replica> {
  const { scope, row } = secret
  const home = scopeIn(scope, replica.region)
  const standing = only && (await secrets.get(call, home, row.name))
  const there: Secret = { scope: home, row: following(row, scope.region, replica, standing), arn: arnOf(home, row) }
  try {
    const versions = []
    for (const version of there.row.versions) {
      // What it missed while it could not follow, it gets now.
      const missed = version.kmsKeyArn === undefined
      const value = valueIf(only, version.id) ?? (missed ? await readValue(call, secret, version.id) : undefined)
      versions.push(value ? { ...version, kmsKeyArn: await saveValue(call, there, version.id, value) } : version)
    }
    for (const { id } of standing?.versions ?? []) {
      if (!versions.some((version) => version.id === id)) secrets.removeValue(call, there.scope, there.row, id)
    }
    secrets.save(call, there.scope, { ...there.row, versions })
    return { region: replica.region, ...(replica.kmsKeyId && { kmsKeyId: replica.kmsKeyId }), status: 'InSync' }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...replica, status: 'Failed', message: error.message }
  }
}

interface Valued {
  readonly id: string
  readonly value: Value
}

const valueIf = (only: Valued | undefined, version: string) => (only?.id === version ? only.value : undefined)

/** Carries a new value, and what changed with it, to all replicas of a secret that is not yet saved. */
export async function inAllRegions(call: Call, secret: Secret, id: string, value: Value): Promise<Secret> {
  if (!secret.row.replicas?.length) return secret
  const replicas: Replica[] = []
  for (const replica of secret.row.replicas) {
    const apart = replica.status === 'Failed' && !(await isOurs(call, secret, replica))
    replicas.push(apart ? replica : await followed(call, secret, replica, { id, value }))
  }
  return { ...secret, row: { ...secret.row, replicas } }
}

async function isOurs(call: Call, { scope, row }: Secret, { region }: Replica): Promise<boolean> {
  const there = await secrets.get(call, scopeIn(scope, region), row.name)
  return there === undefined || (there.suffix === row.suffix && there.primaryRegion === scope.region)
}

/** Labels, tags and descriptions without a new value. */
export async function saveEverywhere(call: Call, secret: Secret): Promise<void> {
  secrets.save(call, secret.scope, secret.row)
  for (const replica of secret.row.replicas ?? []) {
    const there = scopeIn(secret.scope, replica.region)
    const standing = await secrets.get(call, there, secret.row.name)
    if (!standing || standing.primaryRegion !== secret.scope.region || standing.suffix !== secret.row.suffix) continue
    secrets.save(call, there, following(secret.row, secret.scope.region, replica, standing))
  }
}

export const replicateSecretToRegions = secretsmanager
  .operation('ReplicateSecretToRegions')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    const grown = await withReplicas(call, secret, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret ?? false)
    secrets.save(call, grown.scope, grown.row)
    return { ARN: grown.arn, ReplicationStatus: replicated(grown.row) }
  })

export const removeRegionsFromReplication = secretsmanager
  .operation('RemoveRegionsFromReplication')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, secret) => {
    primary(secret)
    const { row, scope, arn } = secret
    const gone = input.RemoveReplicaRegions
    for (const region of gone) {
      const replica = row.replicas?.find((candidate) => candidate.region === region)
      if (!replica) throw invalidParameter(`The secret is not replicated to ${region}.`)
      const there = await secrets.get(call, scopeIn(scope, region), row.name)
      if (there && (await isOurs(call, secret, replica))) secrets.remove(call, scopeIn(scope, region), there)
    }
    const replicas = row.replicas!.filter(({ region }) => !gone.includes(region))
    const saved = secrets.save(call, scope, { ...row, replicas })
    return { ARN: arn, ReplicationStatus: replicated(saved) }
  })

export const stopReplicationToReplica = secretsmanager
  .operation('StopReplicationToReplica')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, _input, { row, scope, arn }) => {
    if (row.primaryRegion === undefined || row.primaryRegion === scope.region) {
      throw invalidRequest('Operation is not permitted on a secret that is no replica.')
    }
    const { primaryRegion, ...own } = row
    secrets.save(call, scope, own)
    const before = await secrets.get(call, scopeIn(scope, primaryRegion), row.name)
    if (before?.replicas) {
      const replicas = before.replicas.filter(({ region }) => region !== scope.region)
      secrets.save(call, scopeIn(scope, primaryRegion), { ...before, replicas })
    }
    return { ARN: arn }
  })

/** Versions of a secret: what adds one, and what lists and labels them. */
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { keys } from './conditions.ts'
import { CURRENT, holder, moved, pruned, put, removed } from './labels.ts'
import { refusals } from './messages.ts'
import { inAllRegions, saveEverywhere } from './replicas.ts'
import {
  alive,
  invalidParameter,
  primary,
  type Secret,
  type SecretRow,
  secretNamed,
  secrets,
  secretsmanager,
  type VersionMeta,
  withToken,
} from './resources.ts'
import { checkRotationToken, postponed } from './rotating.ts'
import { givenValue, sameValue, saveValue, type Value } from './values.ts'

/** The secret with one more value, not yet saved. The version may be there already, waiting for its value. */
export async function added(
  call: Call,
  secret: Secret,
  id: string,
  value: Value,
  stages: readonly string[],
): Promise<Secret> {
  const kmsKeyArn = await saveValue(call, secret, id, value)
  const { versions } = secret.row
  const there = versions.find((version) => version.id === id)
  const own: VersionMeta = { ...(there ?? { id, stages: [], createdAt: call.now }), kmsKeyArn }
  const all = there ? versions.map((version) => (version.id === id ? own : version)) : [...versions, own]
  // The first value is the current one, whatever labels the request has.
  const isFirst = !versions.some((version) => version.kmsKeyArn !== undefined)
  const labelled = put(all, isFirst ? [...new Set([...stages, CURRENT])] : stages, id)
  const { kept, gone } = pruned(labelled, call.now)
  const max = call.quotas['secretsmanager/VersionsPerSecret']!
  if (kept.length > max) throw refusals.versions(max)
  for (const old of gone) secrets.removeValue(call, secret.scope, secret.row, old)
  const row: SecretRow = { ...secret.row, versions: kept, changedAt: call.now }
  return inAllRegions(call, { ...secret, row }, id, value)
}

/** Whether this version holds this value already. Refuses when it holds another. */
export async function isThere(call: Call, secret: Secret, id: string, value: Value): Promise<boolean> {
  const there = secret.row.versions.find((version) => version.id === id)
  if (there?.kmsKeyArn === undefined) return false
  if (await sameValue(call, secret, id, value)) return true
  throw refusals.tokenTaken(id, secret.arn)
}

/** Adds a value, or finds that the same was added under this token before. Returns the secret as saved. */
export async function addVersion(
  call: Call,
  secret: Secret,
  id: string,
  value: Value,
  stages: readonly string[],
): Promise<Secret> {
  if (await isThere(call, secret, id, value)) return secret
  const grown = await added(call, secret, id, value, stages)
  const saved = stages.includes(CURRENT) ? await postponed(call, grown) : grown
  secrets.save(call, saved.scope, saved.row)
  return saved
}

export const putSecretValue = secretsmanager
  .operation('PutSecretValue')
  .on(withToken(secretNamed))
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    const value = givenValue(input)
    if (!value) throw invalidParameter('You must provide either SecretString or SecretBinary.')
    const stages = input.VersionStages ?? [CURRENT]
    if (new Set(stages).size !== stages.length) throw invalidParameter('The VersionStages must not repeat a label.')
    const id = input.ClientRequestToken!
    await checkRotationToken(call, secret, id, input.RotationToken)
    const { row, arn } = await addVersion(call, secret, id, value, stages)
    const version = row.versions.find((candidate) => candidate.id === id)
    return { ARN: arn, Name: row.name, VersionId: id, VersionStages: [...(version?.stages ?? [])] }
  })

export const listSecretVersionIds = secretsmanager
  .operation('ListSecretVersionIds')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, { row, arn }) => {
    const shown = row.versions.filter(({ stages }) => input.IncludeDeprecated || stages.length > 0)
    const { items, next } = await pageOf(call, shown, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? 100,
      query: [arn, input.IncludeDeprecated],
      bad: badToken,
    })
    return {
      ARN: arn,
      Name: row.name,
      Versions: items.map((version) => ({
        VersionId: version.id,
        ...(version.stages.length > 0 && { VersionStages: [...version.stages] }),
        CreatedDate: new Date(version.createdAt),
        ...(version.lastAccessedDay !== undefined && { LastAccessedDate: new Date(version.lastAccessedDay) }),
        ...(version.kmsKeyArn !== undefined && { KmsKeyIds: [shownKey(row)] }),
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

const shownKey = ({ kmsKeyId }: SecretRow) => kmsKeyId ?? 'DefaultEncryptionKey'

export const badToken = () => secretsmanager.fail('InvalidNextTokenException', 'The NextToken value is invalid.')

export const updateSecretVersionStage = secretsmanager
  .operation('UpdateSecretVersionStage')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    const { row, arn } = secret
    const { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from } = input
    for (const id of [to, from]) if (id !== undefined) known(row, id)
    const held = holder(row.versions, stage)
    checkMove(stage, held?.id, from, to)

    const versions = to === undefined ? removed(row.versions, stage) : moved(row.versions, stage, to)
    const labels = versions.find(({ id }) => id === to)?.stages.length ?? 0
    if (labels > 20) throw secretsmanager.fail('LimitExceededException', 'A version may bear at most 20 labels.')
    await saveEverywhere(call, { ...secret, row: { ...row, versions, changedAt: call.now } })
    return { ARN: arn, Name: row.name }
  })

function known({ versions }: SecretRow, id: string): void {
  if (versions.some((version) => version.id === id)) return
  throw secretsmanager.fail(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret version: ${id}.`,
  )
}

/** A label is never taken from a version that the caller does not name. */
function checkMove(stage: string, held: string | undefined, from: string | undefined, to: string | undefined): void {
  if (from === undefined && to === undefined) {
    throw invalidParameter('You must specify a version to move the label to, or one to remove it from.')
  }
  if (from !== undefined && held !== from) {
    throw invalidParameter(`The staging label ${stage} is not attached to version ${from}.`)
  }
  if (to === undefined && stage === CURRENT) {
    throw invalidParameter(
      `You can only move staging label ${CURRENT} to a different secret version. It can't be completely removed.`,
    )
  }
  if (to !== undefined && from === undefined && held !== undefined && held !== to) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${held}, so you must explicitly reference that version in RemoveFromVersionId.`,
    )
  }
}

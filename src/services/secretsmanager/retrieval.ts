/** Values fetched: one, or several at once. */
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { Fault } from '../../wire/fault.ts'
import { spellingOf } from '../../wire/faults.ts'
import { keys } from './conditions.ts'
import { filtered } from './filters.ts'
import { CURRENT, holder } from './labels.ts'
import {
  alive,
  arnOf,
  invalidParameter,
  invalidRequest,
  type Secret,
  secretNamed,
  secrets,
  secretsmanager,
  type VersionMeta,
} from './resources.ts'
import { tried } from './rotating.ts'
import { readValue } from './values.ts'
import { badToken } from './versions.ts'

const DAY_MS = 86_400_000

interface Which {
  readonly VersionId?: string | undefined
  readonly VersionStage?: string | undefined
}

function versionOf({ row }: Secret, { VersionId: id, VersionStage: stage }: Which): VersionMeta {
  const version = id === undefined ? holder(row.versions, stage ?? CURRENT) : row.versions.find((one) => one.id === id)
  if (!version) throw withoutValue(id, stage)
  if (id !== undefined && stage !== undefined && !version.stages.includes(stage)) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.')
  }
  return version
}

function withoutValue(id: string | undefined, stage: string | undefined): Fault {
  const which = id === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${id}`
  return secretsmanager.fail(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${which}`,
  )
}

async function retrieved(call: Call, secret: Secret, which: Which) {
  alive(secret)
  const version = versionOf(secret, which)
  const value = await readValue(call, secret, await holding(call, secret, version))
  if (!value) throw withoutValue(which.VersionId, which.VersionStage)
  seen(call, secret, version)
  return {
    ARN: secret.arn,
    Name: secret.row.name,
    VersionId: version.id,
    ...value,
    ...(version.stages.length > 0 && { VersionStages: [...version.stages] }),
    CreatedDate: new Date(version.createdAt),
  }
}

/** Whose value is read. */
async function holding({ unit }: Call, { scope, row }: Secret, { id, kmsKeyArn }: VersionMeta): Promise<string> {
  return kmsKeyArn === undefined ? ((await tried(unit, scope, row, id))?.id ?? id) : id
}

/** The day it was last read: written once a day, so that reading stays reading. */
function seen(call: Call, { row, scope }: Secret, { id, lastAccessedDay }: VersionMeta): void {
  const today = Math.floor(call.now / DAY_MS) * DAY_MS
  if (lastAccessedDay === today) return
  const versions = row.versions.map((version) => (version.id === id ? { ...version, lastAccessedDay: today } : version))
  secrets.save(call, scope, { ...row, versions, lastAccessedDay: today })
}

export const getSecretValue = secretsmanager
  .operation('GetSecretValue')
  .on(secretNamed)
  .conditions(keys)
  .run((call, input, secret) => retrieved(call, secret, input))

/** AWS checks GetSecretValue for each secret, and lists an error for each that cannot be read. */
export const batchGetSecretValue = secretsmanager
  .operation('BatchGetSecretValue')
  .on(anything)
  .run(async (call, input) => {
    const { SecretIdList: ids, Filters: filters, MaxResults: size, NextToken: token } = input
    if ((ids === undefined) === (filters === undefined)) {
      throw invalidParameter('Either SecretIdList or Filters must be provided, but not both.')
    }
    if (ids && (size !== undefined || token !== undefined)) {
      throw invalidParameter('MaxResults and NextToken need Filters.')
    }
    if (ids) return batch(call, ids)
    // Matching names are returned even where the value is not.
    await call.authorize('secretsmanager:ListSecrets', '*')
    const rows = filtered(
      (await secrets.list(call, call)).map(({ document }) => document).filter(({ deletion }) => !deletion),
      filters!,
    )
    const { items, next } = await pageOf(call, rows, ({ name }) => name, {
      token,
      size: size ?? 20,
      query: filters,
      bad: badToken,
    })
    return {
      ...(await batch(
        call,
        items.map((row) => arnOf(call, row)),
      )),
      ...(next !== undefined && { NextToken: next }),
    }
  })

async function batch(call: Call, ids: readonly string[]) {
  const SecretValues = []
  const Errors = []
  for (const SecretId of ids) {
    try {
      SecretValues.push(await call.forward(secretsmanager.api, 'GetSecretValue', { SecretId }))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      // Spelled as the call for one alone would have been answered.
      const ErrorCode = spellingOf(error.code, 'json', undefined)?.[0] ?? error.code
      Errors.push({ SecretId, ErrorCode, Message: error.message })
    }
  }
  return { SecretValues, Errors }
}

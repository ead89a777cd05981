/**
 * Published versions: copies of `$LATEST` under numbers that are never reused.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
 */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Unit } from '../../store/store.ts'
import { shaOf } from './code.ts'
import { sealedVariables, shown, variablesOf } from './configuration.ts'
import { at, type FunctionRow, invalid, lambda, latestNamed, requireRevision, rowKey, versionOf } from './resources.ts'

/** Oldest first. */
export async function versionsOf(unit: Unit, scope: Scope, name: string): Promise<readonly FunctionRow[]> {
  return (await unit.range<FunctionRow>(at.versions(scope, name))).map(({ document }) => document)
}

/** Saves `$LATEST` and its next version. Where nothing has changed since the last one, returns that one. */
export async function publish(
  call: Call,
  scope: Scope,
  latest: FunctionRow,
  description?: string,
): Promise<{ readonly version: FunctionRow; readonly isNew: boolean }> {
  const before = latest.published
  if (before?.revision === latest.revision) {
    const same = await call.unit.get<FunctionRow>(at.version(scope, latest.name, before.version))
    if (same) return { version: same, isNew: false }
  }
  const number = (before?.version ?? 0) + 1
  const { policy: _policy, tags: _tags, environment: _environment, published: _published, ...rest } = latest
  const version: FunctionRow = {
    ...rest,
    ...sealedVariables(call.vault, scope, { id: latest.id, version: number }, variablesOf(call.vault, scope, latest)),
    ...(description !== undefined && { description }),
    version: number,
    revision: call.newId(),
    modifiedAt: call.now,
  }
  call.unit.put(rowKey(scope, version), version)
  call.unit.put(rowKey(scope, latest), { ...latest, published: { version: number, revision: latest.revision } })
  return { version, isNew: true }
}

export const publishVersion = lambda
  .operation('PublishVersion')
  .on(latestNamed)
  .run(async (call, input, { scope, row, arn }) => {
    requireRevision(input.RevisionId, row.revision)
    const sha = shaOf(row.code)
    if (input.CodeSha256 !== undefined && input.CodeSha256 !== '' && input.CodeSha256 !== sha) {
      throw invalid(
        `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha}). Please try again with the CodeSHA256 in $LATEST.`,
      )
    }
    const { version } = await publish(call, scope, row, input.Description)
    return shown(call.vault, scope, version, `${arn}:${versionOf(version)}`)
  })

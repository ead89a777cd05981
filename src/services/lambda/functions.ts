/** Functions: created, changed, described and deleted. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Call } from '../../kernel/gate/call.ts'
import { dropCode, keepCode, readCode, requireRoom, requireRunnable } from './code.ts'
import { settingKeys } from './conditions.ts'
import {
  checkVariables,
  refuseUnbuilt,
  sealedVariables,
  settingsDefault,
  settingsOf,
  shown,
  variablesOf,
} from './configuration.ts'
import {
  type FunctionRow,
  functionNamed,
  functionType,
  invalid,
  lambda,
  latestNamed,
  type NamedFunction,
  parseReference,
  requireRevision,
  rowKey,
  versionOf,
} from './resources.ts'
import { passRole } from './roles.ts'
import { publish, versionsOf } from './versions.ts'

interface NamesFunction {
  readonly FunctionName?: string | undefined
}

export const createFunction = lambda
  .operation('CreateFunction')
  .on(functionType.created((input: NamesFunction, call) => parseReference(call, input.FunctionName ?? '')))
  .conditions(settingKeys)
  .run(async (call, input, { scope, id: { FunctionName: name }, arn, tags, assertAvailable, create }) => {
    if (parseReference(call, input.FunctionName).qualifier !== undefined)
      throw invalid('The function name of a new function has no qualifier.')
    refuseUnbuilt(call, input)
    const settings = settingsOf(settingsDefault, input)
    const variables = checkVariables(input.Environment?.Variables ?? {})
    const { PackageType: packageType = 'Zip', Runtime: runtime, Handler: handler } = input
    const read = await readCode(call, input.Code, { packageType, runtime, handler })
    await passRole(call, scope, name, input.Role)
    requireRunnable(call, read.code, variables)
    assertAvailable()
    await requireRoom(call, scope, name, read.code)

    const id = call.newId()
    const latest: FunctionRow = {
      name,
      id,
      role: input.Role,
      ...settings,
      architectures: input.Architectures ?? ['x86_64'],
      code: read.code,
      ...sealedVariables(call.vault, scope, { id }, variables),
      ...(input.Tags && { tags }),
      revision: call.newId(),
      modifiedAt: call.now,
    }
    keepCode(call, scope, read)
    create(latest)
    const row = input.Publish ? (await publish(call, scope, latest)).version : latest
    return shown(call.vault, scope, row, arn, 'created')
  })

export const updateFunctionCode = lambda
  .operation('UpdateFunctionCode')
  .on(latestNamed)
  .run(async (call, input, { scope, row, arn, save }) => {
    requireRevision(input.RevisionId, row.revision)
    refuseUnbuilt(call, { PublishTo: input.PublishTo })
    const { code } = row
    const read = await readCode(
      call,
      input,
      code.kind === 'image' ? { packageType: 'Image' } : { packageType: 'Zip', ...code },
    )
    requireRunnable(call, read.code, variablesOf(call.vault, scope, row))
    await requireRoom(call, scope, row.name, read.code)

    const next = changed(call, { ...row, code: read.code, architectures: input.Architectures ?? row.architectures })
    if (input.DryRun)
      return shown(call.vault, scope, { ...next, revision: row.revision, modifiedAt: row.modifiedAt }, arn)
    await dropCode(call, scope, row)
    keepCode(call, scope, read)
    if (input.Publish) {
      const { version } = await publish(call, scope, next)
      return shown(call.vault, scope, version, `${arn}:${versionOf(version)}`, 'created')
    }
    save(next)
    return shown(call.vault, scope, next, arn, 'updated')
  })

export const updateFunctionConfiguration = lambda
  .operation('UpdateFunctionConfiguration')
  .on(latestNamed)
  .conditions(settingKeys)
  .run(async (call, input, { scope, row, arn, save }) => {
    requireRevision(input.RevisionId, row.revision)
    refuseUnbuilt(call, input)
    const settings = settingsOf(row, input)
    const { environment: _before, ...kept } = row
    const variables = input.Environment
      ? checkVariables(input.Environment.Variables ?? {})
      : variablesOf(call.vault, scope, row)
    const code = withRuntime(row, input)
    if (input.Role !== undefined) await passRole(call, scope, row.name, input.Role)
    requireRunnable(call, code, variables)

    const next = changed(call, {
      ...kept,
      ...settings,
      code,
      role: input.Role ?? row.role,
      ...sealedVariables(call.vault, scope, row, variables),
    })
    save(next)
    return shown(call.vault, scope, next, arn, 'updated')
  })

const changed = (call: Call, row: FunctionRow): FunctionRow => ({
  ...row,
  revision: call.newId(),
  modifiedAt: call.now,
})

function withRuntime(
  { code }: FunctionRow,
  { Runtime, Handler }: { Runtime?: Lambda.Runtime | undefined; Handler?: string | undefined },
): FunctionRow['code'] {
  if (code.kind === 'zip') return { ...code, runtime: Runtime ?? code.runtime, handler: Handler || code.handler }
  if (Runtime ?? Handler) throw invalid('Runtime and Handler are not supported for functions with PackageType Image.')
  return code
}

export const getFunction = lambda
  .operation('GetFunction')
  .on(functionNamed)
  .run((call, _input, found) => {
    const { code, tags } = found.row
    // Without Location: packages cannot be downloaded.
    const Code =
      code.kind === 'zip'
        ? { RepositoryType: 'S3' }
        : { RepositoryType: 'ECR', ImageUri: code.uri, ResolvedImageUri: code.uri }
    return { Configuration: shownAs(call, found), Code, ...(tags && Object.keys(tags).length > 0 && { Tags: tags }) }
  })

export const getFunctionConfiguration = lambda
  .operation('GetFunctionConfiguration')
  .on(functionNamed)
  .run((call, _input, found) => shownAs(call, found))

const shownAs = (call: Call, { scope, row, named }: NamedFunction) => shown(call.vault, scope, row, named)

/** Code signing is not implemented, so no function has a configuration. */
export const getFunctionCodeSigningConfig = lambda
  .operation('GetFunctionCodeSigningConfig')
  .on(latestNamed)
  .run((_call, _input, { row }) => ({ CodeSigningConfigArn: '', FunctionName: row.name }))

export const deleteFunction = lambda
  .operation('DeleteFunction')
  .on(functionNamed)
  .run(async (call, _input, { scope, row, arn, named }) => {
    if (row.version === undefined && named !== arn)
      throw invalid('$LATEST version cannot be deleted without deleting the function.')
    const versions = row.version === undefined ? await versionsOf(call.unit, scope, row.name) : []
    for (const each of [...versions, row]) {
      call.unit.delete(rowKey(scope, each))
      await dropCode(call, scope, each)
    }
    return { StatusCode: 204 }
  })

/** Functions: made, changed, shown and deleted. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Call } from '../../kernel/call.ts'
import { dropCode, keepCode, readCode, requireRoom, requireRunnable } from './code.ts'
import {
  checkVariables,
  refuseUnbuilt,
  sealedVariables,
  settingsDefault,
  settingsOf,
  shown,
  variablesOf,
} from './configuration.ts'
import { at, type FunctionRow, invalid, lambda, requireRevision } from './resources.ts'
import { passRole } from './roles.ts'
import { mergedTags } from './tags.ts'
import { functionNamed, functionToBe, type NamedFunction, referenceOf } from './targets.ts'

export const createFunction = lambda
  .operation('CreateFunction')
  .on(functionToBe)
  .run(async (call, input) => {
    const { scope, name, qualifier } = referenceOf(call, input.FunctionName)
    if (qualifier !== undefined) throw invalid('The function name of a new function has no qualifier.')
    refuseUnbuilt(call, input)
    const settings = settingsOf(settingsDefault, input)
    const variables = checkVariables(input.Environment?.Variables ?? {})
    const { PackageType: packageType = 'Zip', Runtime: runtime, Handler: handler } = input
    const read = readCode(call, input.Code, { packageType, runtime, handler })
    const tags = input.Tags && mergedTags(undefined, input.Tags)
    if (tags && Object.keys(tags).length > 0) await call.authorize('lambda:TagResource', call.event.resources[0]!)
    await passRole(call, scope, name, input.Role)
    requireRunnable(call, read.code, variables)
    if (await call.unit.get(at.function(scope, name))) {
      throw lambda.fail('ResourceConflictException', `Function already exist: ${name}`, { Type: 'User' })
    }
    await requireRoom(call, scope, name, read.code)

    const id = call.newId()
    const row: FunctionRow = {
      name,
      id,
      role: input.Role,
      ...settings,
      architectures: input.Architectures ?? ['x86_64'],
      code: read.code,
      ...sealedVariables(call.vault, scope, id, variables),
      ...(tags && { tags }),
      revision: call.newId(),
      modifiedAt: call.now,
    }
    keepCode(call, scope, read)
    call.unit.put(at.function(scope, name), row)
    return shown(call.vault, scope, row)
  })

export const updateFunctionCode = lambda
  .operation('UpdateFunctionCode')
  .on(functionNamed)
  .run(async (call, input, { scope, row, arn }) => {
    requireRevision(input.RevisionId, row.revision)
    refuseUnbuilt(call, { Publish: input.Publish, PublishTo: input.PublishTo })
    const { code } = row
    const read = readCode(
      call,
      input,
      code.kind === 'image' ? { packageType: 'Image' } : { packageType: 'Zip', ...code },
    )
    requireRunnable(call, read.code, variablesOf(call.vault, scope, row))
    await requireRoom(call, scope, row.name, read.code)

    const next = changed(call, { ...row, code: read.code, architectures: input.Architectures ?? row.architectures })
    if (input.DryRun)
      return shown(call.vault, scope, { ...next, revision: row.revision, modifiedAt: row.modifiedAt }, arn)
    dropCode(call, scope, code)
    keepCode(call, scope, read)
    call.unit.put(at.function(scope, row.name), next)
    return shown(call.vault, scope, next, arn)
  })

export const updateFunctionConfiguration = lambda
  .operation('UpdateFunctionConfiguration')
  .on(functionNamed)
  .run(async (call, input, { scope, row, arn }) => {
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
      ...sealedVariables(call.vault, scope, row.id, variables),
    })
    call.unit.put(at.function(scope, row.name), next)
    return shown(call.vault, scope, next, arn)
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
    // Without Location: a package is not handed out again, so there is no address that would work.
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

/** Code signing is not built, so no function has any. */
export const getFunctionCodeSigningConfig = lambda
  .operation('GetFunctionCodeSigningConfig')
  .on(functionNamed)
  .run((_call, _input, { row }) => ({ CodeSigningConfigArn: '', FunctionName: row.name }))

export const deleteFunction = lambda
  .operation('DeleteFunction')
  .on(functionNamed)
  .run((call, _input, { scope, row, arn, named }) => {
    if (named !== arn) throw invalid('$LATEST version cannot be deleted without deleting the function.')
    dropCode(call, scope, row.code)
    call.unit.delete(at.function(scope, row.name))
    return { StatusCode: 204 }
  })

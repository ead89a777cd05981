/** Lambda's resource type: functions, their versions, and how a request names one. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Pins } from '../../kernel/resource/pinned.ts'
import type { Reference } from '../../kernel/resource/resource-type.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'
import { Fault } from '../../wire/fault.ts'

const words = defineService<typeof Lambda>('lambda')

/** Every fault of Lambda has a type. */
export const lambda: typeof words = {
  ...words,
  fail: (code, message, members) => words.fail(code, message, { Type: 'User', ...members }),
}

/** The service principal, as policies and roles name it. */
export const PRINCIPAL = 'lambda.amazonaws.com'
/** The version that changes. Published versions are numbered and never change. */
export const LATEST = '$LATEST'

export type Code =
  | {
      readonly kind: 'zip'
      readonly runtime: Lambda.Runtime
      readonly handler: string
      /** Of this upload: no two share rows. */
      readonly id: string
      /** The number of rows that contain it. */
      readonly chunks: number
      readonly bytes: number
      /** Hex. */
      readonly sha256: string
    }
  /** `merlon/NAME` is built in; `https://…` is called over the network. */
  | { readonly kind: 'image'; readonly uri: string }

export interface FunctionPolicy {
  readonly text: string
  readonly pins: Pins
  readonly revision: string
}

export interface FunctionRow extends Row {
  readonly name: string
  /** Unique, while names can be used again. */
  readonly id: string
  readonly role: string
  readonly description: string
  readonly timeoutS: number
  readonly memoryMb: number
  readonly storageMb: number
  readonly architectures: readonly Lambda.Architecture[]
  readonly logGroup?: string
  readonly code: Code
  /** JSON of the variables. */
  readonly environment?: Sealed
  readonly policy?: FunctionPolicy
  readonly revision: string
  readonly modifiedAt: number
  /** The number of a published version; undefined for `$LATEST`. */
  readonly version?: number
  /** Of `$LATEST`: the last number, which is never used again, and the revision that it was published from. */
  readonly published?: { readonly version: number; readonly revision: string }
}

type Home = Pick<Scope, 'account' | 'region'>

export const at = {
  version: ({ account, region }: Home, name: string, version: number): Key =>
    key('lambda', 'version', account, region, name, String(version).padStart(10, '0')),
  versions: ({ account, region }: Home, name: string): Key => under('lambda', 'version', account, region, name),
  allVersions: ({ account, region }: Home): Key => under('lambda', 'version', account, region),
  chunk: ({ account, region }: Home, code: string, index: number): Key =>
    key('lambda', 'code', account, region, code, String(index).padStart(4, '0')),
}

/** The seal context of a part of a package. */
export const chunkPlace = ({ account, region }: Home, code: string, index: number): SealContext => ({
  table: 'lambda/code',
  key: `${region}/${code}`,
  column: 'zip',
  account,
  version: String(index),
})

export const environmentPlace = (
  { account, region }: Home,
  { id, version }: Pick<FunctionRow, 'id' | 'version'>,
): SealContext => ({
  table: 'lambda/function',
  key: `${region}/${id}`,
  column: 'environment',
  account,
  ...(version !== undefined && { version: String(version) }),
})

export const versionOf = ({ version }: Pick<FunctionRow, 'version'>): string =>
  version === undefined ? LATEST : String(version)

export const invalid = (message: string): Fault => lambda.fail('InvalidParameterValueException', message)

type FunctionId = { readonly FunctionName: string }

/** A function, or a published version of one, as an operation works on it. */
export type NamedFunction = ExistingResource<FunctionId, FunctionRow>

export const functionType = lambda.resource({
  kind: 'function',
  type: 'AWS::Lambda::Function',
  arn: 'arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}',
  patterns: { FunctionName: '[\\w.-]{1,64}' },
  storedPer: 'region',
  crossAccount: true,
  idOf: ({ name }: FunctionRow): FunctionId => ({ FunctionName: name }),
  reference: (call, text, input) => functionReference(call, text, input),
  // The policy of a version is its own; tags are the function's.
  policy: ({ policy }) => policy,
  tags: {
    action: 'lambda:TagResource',
    member: 'Tags',
    problems: {
      duplicate: () => invalid('Duplicate tag keys: Merlon compares keys without regard to case.'),
      reserved: () => invalid('Tag keys that begin with aws: are reserved.'),
      'too-many': () => invalid(`A function can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (arn) => lambda.fail('ResourceNotFoundException', `Function not found: ${arn}`),
    invalidReference: (text) =>
      new Fault(
        'ValidationError',
        `1 validation error detected: Value '${text}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${FORM.source}`,
      ),
    alreadyExists: (_arn, { FunctionName }) =>
      lambda.fail('ResourceConflictException', `Function already exist: ${FunctionName}`),
  },
})

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName) */
const FORM =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9_.-]+)(?::([$a-zA-Z0-9_.-]+))?$/
const NAME_LENGTH_MAX = 64

export interface ParsedReference {
  readonly scope: Scope
  readonly id: FunctionId
  readonly qualifier: string | undefined
}

/** A name, account and name, or ARN, each with or without a qualifier. `requested`: the qualifier as a parameter. */
export function parseReference(call: Call, text: string, requested?: string): ParsedReference {
  const [, region = call.region, account = call.account, name, own] = FORM.exec(text) ?? []
  if (name === undefined) throw functionType.spec.faults.invalidReference(text)
  if (name.length > NAME_LENGTH_MAX) {
    throw invalid(
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${NAME_LENGTH_MAX}`,
    )
  }
  if (region !== call.region) {
    throw lambda.fail(
      'ResourceNotFoundException',
      `Functions from '${region}' are not reachable in this region ('${call.region}')`,
    )
  }
  if (own !== undefined && requested !== undefined && own !== requested) {
    throw invalid('The derived qualifier from the function name does not match the specified qualifier.')
  }
  const scope = { partition: call.partition, region, account }
  return { scope, id: { FunctionName: name }, qualifier: requested ?? own }
}

/** Ten digits at most: the width of the number in keys. */
const NUMBER = /^[1-9]\d{0,9}$/

/** `$LATEST` or a published version; no other qualifier names anything. */
async function functionReference(
  call: Call,
  text: string,
  { Qualifier }: { readonly Qualifier?: string | undefined },
): Promise<Reference<FunctionId>> {
  const { scope, id, qualifier } = parseReference(call, text, Qualifier)
  if (qualifier === undefined) return { scope, id, requested: arnOf(scope, id.FunctionName) }
  const suffix = `:${qualifier}`
  const named = { scope, id, suffix, requested: arnOf(scope, id.FunctionName) + suffix }
  if (qualifier === LATEST) return named
  const tags = (await functionType.get(call.unit, scope, id))?.tags
  if (!NUMBER.test(qualifier)) return { ...named, tags, absent: true }
  return { ...named, tags, key: at.version(scope, id.FunctionName, Number(qualifier)) }
}

export const functionNamed = functionType.named('FunctionName')

/** For operations on the function as a whole, and for changes: they accept no published version. */
export const latestNamed = functionType.named('FunctionName', {
  reference: async (call, text, input) => {
    const reference = await functionReference(call, text, input)
    return reference.key ? { ...reference, absent: true } : reference
  },
})

/** The key of a function's or a version's row. */
export const rowKey = (scope: Home, { name, version }: Pick<FunctionRow, 'name' | 'version'>): Key =>
  version === undefined ? functionType.key(scope, { FunctionName: name }) : at.version(scope, name, version)

export const arnOf = (scope: Scope, name: string): string => functionType.arn(scope, { FunctionName: name })

export const unbuilt = (operation: string, what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement lambda:${operation} with ${what}.`, { status: 400 })

/** Rejects a change that was based on an older revision. */
export function requireRevision(requested: string | undefined, current: string): void {
  if (requested === undefined || requested === current) return
  throw lambda.fail(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
  )
}

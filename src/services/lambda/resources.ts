/** Lambda's words: functions, what they run, who may invoke them, and where each is kept. */
import type * as Lambda from '@aws-sdk/client-lambda'
import { arnIn } from '../../kernel/arn.ts'
import type { Scope } from '../../kernel/call.ts'
import type { Pins } from '../../kernel/pinned.ts'
import type { Row } from '../../kernel/resource.ts'
import { service } from '../../kernel/service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Place, Sealed } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'

const api = service<typeof Lambda>('lambda')

/** Every fault of Lambda says whose it is. */
export const lambda: typeof api = {
  ...api,
  fail: (code, message, members) => api.fail(code, message, { Type: 'User', ...members }),
}

/** How policies and roles name the service at work. */
export const PRINCIPAL = 'lambda.amazonaws.com'
/** The version that changes; published ones are numbered, and stay as they were. */
export const LATEST = '$LATEST'
export const TYPE = 'AWS::Lambda::Function'

export type Code =
  | {
      readonly kind: 'zip'
      readonly runtime: Lambda.Runtime
      readonly handler: string
      /** Of this upload: no two share rows. */
      readonly id: string
      /** How many rows hold it. */
      readonly chunks: number
      readonly bytes: number
      /** Hex. */
      readonly sha256: string
    }
  /** `merlon/NAME` is built in, `https://…` is asked over the network. */
  | { readonly kind: 'image'; readonly uri: string }

export interface FunctionPolicy {
  readonly text: string
  readonly pins: Pins
  readonly revision: string
}

export interface FunctionRow extends Row {
  readonly name: string
  /** Never used again, as names are. */
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
  /** Of `$LATEST`: the last number given, which is never given again, and the revision that it shows. */
  readonly published?: { readonly version: number; readonly revision: string }
}

type Home = Pick<Scope, 'account' | 'region'>

export const at = {
  function: ({ account, region }: Home, name: string): Key => key('lambda', 'function', account, region, name),
  functions: ({ account, region }: Home): Key => under('lambda', 'function', account, region),
  version: ({ account, region }: Home, name: string, version: number): Key =>
    key('lambda', 'version', account, region, name, String(version).padStart(10, '0')),
  versions: ({ account, region }: Home, name: string): Key => under('lambda', 'version', account, region, name),
  allVersions: ({ account, region }: Home): Key => under('lambda', 'version', account, region),
  chunk: ({ account, region }: Home, code: string, index: number): Key =>
    key('lambda', 'code', account, region, code, String(index).padStart(4, '0')),
}

/** Where a part of a package is sealed to. */
export const chunkPlace = ({ account, region }: Home, code: string, index: number): Place => ({
  table: 'lambda/code',
  key: `${region}/${code}`,
  column: 'zip',
  account,
  version: String(index),
})

export const environmentPlace = (
  { account, region }: Home,
  { id, version }: Pick<FunctionRow, 'id' | 'version'>,
): Place => ({
  table: 'lambda/function',
  key: `${region}/${id}`,
  column: 'environment',
  account,
  ...(version !== undefined && { version: String(version) }),
})

export const versionOf = ({ version }: Pick<FunctionRow, 'version'>): string =>
  version === undefined ? LATEST : String(version)

/** Where a row is kept. */
export const rowKey = (scope: Home, { name, version }: Pick<FunctionRow, 'name' | 'version'>): Key =>
  version === undefined ? at.function(scope, name) : at.version(scope, name, version)

export const arnOf = (scope: Scope, name: string): string => arnIn(scope, 'lambda', `function:${name}`)

export const invalid = (message: string): Fault => lambda.fail('InvalidParameterValueException', message)
export const notFound = (arn: string): Fault => lambda.fail('ResourceNotFoundException', `Function not found: ${arn}`)
export const unbuilt = (operation: string, what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement lambda:${operation} with ${what}.`, { status: 400 })

/** Refuses a change that was made up before another one. */
export function requireRevision(asked: string | undefined, current: string): void {
  if (asked === undefined || asked === current) return
  throw lambda.fail(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
  )
}

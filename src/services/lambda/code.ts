/** What a function runs: a deployment package, kept sealed in parts, or the name of what runs elsewhere. */
import { createHash } from 'node:crypto'
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { FunctionCode } from '../../kernel/ports/functions.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import { inTurns, sha256Steps } from '../../wire/sigv4/steps.ts'
import { at, type Code, chunkPlace, type FunctionRow, functionType, invalid, lambda, unbuilt } from './resources.ts'

/** A row of a megabyte is read and written in one piece by every store. */
const CHUNK_BYTES = 1_000_000
/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ZIP_BYTES_MAX = 50 * 1024 * 1024

type ZipCode = Extract<Code, { kind: 'zip' }>

/** The code of an operation's input. */
export interface CodeInput {
  readonly ZipFile?: Uint8Array | undefined
  readonly ImageUri?: string | undefined
  readonly S3Bucket?: string | undefined
  readonly S3Key?: string | undefined
}

export interface Manner {
  readonly packageType: Lambda.PackageType
  readonly runtime?: Lambda.Runtime | undefined
  readonly handler?: string | undefined
}

export interface ReadCode {
  readonly code: Code
  readonly zip?: Buffer
}

const IMAGE_NEEDED = (operation: string): string =>
  operation === 'CreateFunction'
    ? 'ImageUri is required for functions with packageType Image.'
    : 'Please provide ImageUri when updating a function with packageType Image.'

const hasUserinfo = (uri: string): boolean => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  return url !== undefined && (url.username !== '' || url.password !== '')
}

/** The code of the request, checked and not yet stored. A large package is hashed in slices. */
export async function readCode(
  call: Call,
  given: CodeInput,
  { packageType, runtime, handler }: Manner,
): Promise<ReadCode> {
  if (given.S3Bucket ?? given.S3Key) throw unbuilt(call.operation, 'a package in S3: send it as ZipFile')
  if (packageType === 'Image') {
    if (runtime ?? handler) throw invalid('Runtime and Handler are not supported for functions with PackageType Image.')
    if (given.ZipFile) throw invalid('Please do not provide ZipFile for functions with packageType Image.')
    if (!given.ImageUri) throw invalid(IMAGE_NEEDED(call.operation))
    if (hasUserinfo(given.ImageUri)) throw invalid('ImageUri must not contain a user name or a password.')
    return { code: { kind: 'image', uri: given.ImageUri } }
  }
  if (given.ImageUri) throw invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
  if (!runtime || !handler) {
    throw invalid('Runtime and Handler are mandatory parameters for functions created with deployment packages.')
  }
  if (!given.ZipFile) throw invalid('Please provide a source for function code.')
  const zip = Buffer.from(given.ZipFile.buffer, given.ZipFile.byteOffset, given.ZipFile.byteLength)
  if (zip.length > ZIP_BYTES_MAX) {
    throw new Fault('RequestEntityTooLarge', `Zipped size must be smaller than ${ZIP_BYTES_MAX} bytes`)
  }
  // Seconds of work in many turns: not repeated where the transaction is retried.
  const { fault, sha256 } = await call.once(async () => ({
    fault: await call.ports.functions.faultIn(zip),
    sha256: await inTurns(sha256Steps(zip)),
  }))
  if (fault !== undefined) throw invalid(fault)
  const chunks = Math.ceil(zip.length / CHUNK_BYTES)
  return { code: { kind: 'zip', runtime, handler, id: call.newId(), chunks, bytes: zip.length, sha256 }, zip }
}

/** Rejects code that this installation cannot run, before it is needed. */
export function requireRunnable(call: Call, code: Code, environment: Readonly<Record<string, string>>): void {
  const refusal = call.ports.functions.refusal(runnable(code), environment)
  if (refusal !== undefined) throw invalid(refusal)
}

/** Every function of the account in the Region counts, with this one as it will be. */
export async function requireRoom(call: Call, scope: Scope, name: string, code: Code): Promise<void> {
  const ranges = [functionType.prefix(scope), at.allVersions(scope)].map((prefix) =>
    call.unit.range<FunctionRow>(prefix),
  )
  const rows = (await Promise.all(ranges)).flat().map(({ document }) => document)
  const others = rows.filter((row) => row.name !== name || row.version !== undefined)
  // Versions of one package keep it once.
  const kept = new Map([...others.map((row) => row.code), code].map((each) => [idOf(each), bytesOf(each)]))
  const total = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0)
  if (total > (call.quotas['lambda/CodeStorageBytes'] ?? Number.POSITIVE_INFINITY)) {
    throw lambda.fail('CodeStorageExceededException', 'Code storage limit exceeded.')
  }
}

const idOf = (code: Code): string => (code.kind === 'zip' ? code.id : code.uri)
const bytesOf = (code: Code): number => (code.kind === 'zip' ? code.bytes : 0)

export function keepCode({ unit, vault }: Pick<Call, 'unit' | 'vault'>, scope: Scope, { code, zip }: ReadCode): void {
  if (code.kind !== 'zip' || !zip) return
  for (let index = 0; index < code.chunks; index++) {
    const part = zip.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    unit.put(at.chunk(scope, code.id, index), { sealed: vault.seal(chunkPlace(scope, code.id, index), part) })
  }
}

/** Deletes the package of a row that is replaced or deleted, unless another version of the function runs it. */
export async function dropCode({ unit }: Pick<Call, 'unit'>, scope: Scope, row: FunctionRow): Promise<void> {
  const { code } = row
  if (code.kind !== 'zip') return
  const versions = (await unit.range<FunctionRow>(at.versions(scope, row.name))).map(({ document }) => document)
  const latest = await functionType.get(unit, scope, { FunctionName: row.name })
  const others = [...versions, ...(latest ? [latest] : [])].filter(({ version }) => version !== row.version)
  if (others.some((other) => other.code.kind === 'zip' && other.code.id === code.id)) return
  for (let index = 0; index < code.chunks; index++) unit.delete(at.chunk(scope, code.id, index))
}

async function fetchZip(reader: Reader, vault: Vault, scope: Scope, { id, chunks }: ZipCode): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let index = 0; index < chunks; index++) {
    const part = await reader.get<{ readonly sealed: Sealed }>(at.chunk(scope, id, index))
    if (!part) throw new Error(`part ${index} of package ${id} is missing`)
    parts.push(vault.open(chunkPlace(scope, id, index), part.sealed))
  }
  return Buffer.concat(parts)
}

/** Code as the functions plane knows it; `fetch` brings the package. */
export function runnable(code: Code, fetch?: () => Promise<Buffer>): FunctionCode {
  if (code.kind === 'image') {
    const [, name] = /^merlon\/(.*)$/s.exec(code.uri) ?? []
    return name === undefined ? { kind: 'http', url: code.uri } : { kind: 'builtin', name }
  }
  const { runtime, handler, sha256 } = code
  const zip = fetch ?? (() => Promise.reject(new Error('the package is not kept yet')))
  return { kind: 'process', runtime, handler, sha256, zip }
}

export function runnableFrom(reader: Reader, vault: Vault, scope: Scope, code: Code): FunctionCode {
  return runnable(code, code.kind === 'zip' ? () => fetchZip(reader, vault, scope, code) : undefined)
}

/** base64, as `CodeSha256` shows it; of an image that is only a name, its name's. */
export function shaOf(code: Code): string {
  if (code.kind === 'zip') return Buffer.from(code.sha256, 'hex').toString('base64')
  return createHash('sha256').update(code.uri).digest('base64')
}

/**
 * Log files in a bucket of AWS or of another S3-compatible store, fetched one after another: never more than one of them is on disk.
 *
 * @example
 * for await (const { name, fetched } of bucketFiles('s3://logs/AWSLogs?region=eu-west-1')) read(await fetched())
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { type Bucket, bucketOf } from '../../kernel/client/bucket.ts'
import { InputError } from '../policy/files.ts'
import { logFilesInOrder } from './log-files.ts'

export interface LogFile {
  readonly name: string
  /** The path of a file that is there until the next one is fetched. Throws an `InputError`. */
  fetched(): Promise<string>
}

export const isBucket = (root: string): boolean => root.startsWith('s3://')

/** `s3://BUCKET/PREFIX`, with `region` and `endpoint` as parameters; keys are those of the environment. */
export async function* bucketFiles(root: string): AsyncGenerator<LogFile> {
  const bucket = opened(root)
  const folder = mkdtempSync(join(tmpdir(), 'merlon-detect-'))
  try {
    for (const name of logFilesInOrder(await namesIn(root, bucket))) {
      const address = `${root.split('?')[0]!.replace(/\/$/, '')}/${name}`
      yield { name: address, fetched: () => fetchedInto(folder, bucket, name, address) }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fetchedInto(folder: string, bucket: Bucket, name: string, address: string): Promise<string> {
  const bytes = await orInputError(address, () => bucket.get(name))
  if (!bytes) throw new InputError(`${address}: it is not there any more.`)
  // Not by its own name, which may lead anywhere.
  const path = join(folder, `log${/^\.\w{1,8}$/.test(extname(name)) ? extname(name) : ''}`)
  writeFileSync(path, bytes, { mode: 0o600 })
  return path
}

function opened(root: string): Bucket {
  if (!URL.canParse(root)) throw new InputError(`'${root}' is no address such as s3://BUCKET/PREFIX?region=REGION.`)
  try {
    return bucketOf(new URL(root), process.env)
  } catch (error) {
    throw new InputError((error as Error).message)
  }
}

async function namesIn(root: string, bucket: Bucket): Promise<readonly string[]> {
  const names: string[] = []
  await orInputError(root, async () => {
    for await (const { name } of bucket.list()) names.push(name)
  })
  return names
}

async function orInputError<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { message, cause } = error as Error
    throw new InputError(`${root.split('?')[0]} cannot be read: ${cause instanceof Error ? cause.message : message}.`)
  }
}

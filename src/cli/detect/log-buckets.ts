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

/** AWS's own log files are far smaller. */
const OBJECT_BYTES_MAX = 512 * 1024 * 1024

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
    const sizes = await sizesIn(root, bucket)
    for (const name of logFilesInOrder([...sizes.keys()])) {
      const address = `${root.split('?')[0]!.replace(/\/$/, '')}/${name}`
      yield { name: address, fetched: () => fetchedInto(folder, bucket, { name, bytes: sizes.get(name)! }, address) }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fetchedInto(
  folder: string,
  bucket: Bucket,
  { name, bytes: size }: { readonly name: string; readonly bytes: number },
  address: string,
): Promise<string> {
  if (size > OBJECT_BYTES_MAX) throw new InputError(`${address}: it is longer than ${OBJECT_BYTES_MAX} bytes.`)
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

async function sizesIn(root: string, bucket: Bucket): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  await orInputError(root, async () => {
    for await (const { name, bytes } of bucket.list()) sizes.set(name, bytes)
  })
  return sizes
}

async function orInputError<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { message, cause } = error as Error
    throw new InputError(`${root.split('?')[0]} cannot be read: ${cause instanceof Error ? cause.message : message}.`)
  }
}

/** Files that are read, and where the results go: into a file beside the result, which takes its name once it is complete. */
import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { UsageError } from '../command.ts'

export const STANDARD = '-'

export interface Task {
  /** A path, or `-`. */
  readonly input: string
  readonly output: string
}

/** What there is to do. A directory needs `recursive`; its files keep their places below the output. Throws a `UsageError`. */
export function tasksOf(input: string, output: string, recursive: boolean, suffix: string): readonly Task[] {
  if (input === STANDARD) {
    if (output !== STANDARD && isDirectory(output))
      throw new UsageError('Standard input needs a file or - as its output, not a directory.')
    return [{ input, output }]
  }
  if (!existsSync(input)) throw new UsageError(`There is no file '${input}'.`)
  if (!isDirectory(input))
    return [{ input, output: isDirectory(output) ? join(output, basename(input) + suffix) : output }]
  if (!recursive) throw new UsageError(`'${input}' is a directory: say --recursive.`)
  if (output === STANDARD || (existsSync(output) && !isDirectory(output)))
    throw new UsageError('The output of a directory is a directory.')
  const inside = relative(resolve(input), resolve(output))
  if (inside === '' || !inside.startsWith('..'))
    throw new UsageError('The output is inside the input: its files would be read again.')
  return readdirSync(input, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => ({ input: file, output: join(output, relative(input, file) + suffix) }))
}

const isDirectory = (path: string) => path !== STANDARD && existsSync(path) && statSync(path).isDirectory()

export const readerOf = (input: string): Readable => (input === STANDARD ? process.stdin : createReadStream(input))

/**
 * Writes a file as a whole: a process that is killed leaves the former file, or none; at most a hidden `.….tmp` beside it.
 *
 * @param mode permissions of a new file
 */
export async function writeWhole(file: string, mode: number, source: AsyncIterable<Buffer>): Promise<void> {
  const folder = dirname(resolve(file))
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${basename(file)}-${randomUUID()}.tmp`)
  const handle = await open(temporary, 'wx', mode)
  try {
    try {
      for await (const part of source) await handle.write(part)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const directory = await open(folder, 'r')
  await directory.sync().finally(() => directory.close())
}

/** Whether both are one file, by whatever names. */
export async function isSame(input: string, output: string): Promise<boolean> {
  if (input === STANDARD || output === STANDARD || !existsSync(output)) return false
  return (await realpath(input)) === (await realpath(output))
}

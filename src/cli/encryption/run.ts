/** Encrypts or decrypts files one after the other, and writes what was done where `--metadata-output` says. */
import { existsSync, statSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import type { Duplex, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { MessageInfo } from '../../encryption-sdk/index.ts'
import { suiteHex } from '../../encryption-sdk/suites.ts'
import { UsageError } from '../command.ts'
import { errorText } from '../error-text.ts'
import { plain } from '../plain.ts'
import { isSame, readerOf, STANDARD, type Task, writeWhole } from './files.ts'

export interface Job {
  readonly mode: 'encrypt' | 'decrypt'
  readonly tasks: readonly Task[]
  /** A new stream for each file; emits `MessageHeader`. `length`: bytes of the file, when they are known. */
  readonly convert: (length: number | undefined) => Duplex
  /** Throws for a message that is not wanted. */
  readonly check?: (header: MessageInfo) => void
  readonly before?: () => Transform
  readonly after?: () => Transform
  /** Hold the whole result in memory before any of it is written to standard output. */
  readonly buffer: boolean
  readonly overwrite: 'always' | 'ask' | 'never'
  readonly metadata?: { readonly file: string; readonly overwrite: boolean }
}

/** Bytes that are held for standard output: plaintext must not leave before the signature is checked. */
const HELD_MAX = 64 * 2 ** 20
const MODES = { encrypt: 0o666, decrypt: 0o600 } as const

/** Returns the exit status: 0 when every file succeeded. */
export async function runJob(job: Job): Promise<number> {
  if (job.metadata?.overwrite && job.metadata.file !== STANDARD) await writeFile(job.metadata.file, '', { mode: 0o600 })
  let failed = 0
  for (const task of job.tasks) {
    try {
      if (await mayWrite(job, task)) await convert(job, task)
      else failed += 1
    } catch (error) {
      failed += 1
      process.stderr.write(`merlon: ${plain(task.input)}: ${errorText(error)}\n`)
    }
  }
  return failed === 0 ? 0 : 1
}

async function mayWrite({ overwrite }: Job, { input, output }: Task): Promise<boolean> {
  if (await isSame(input, output)) throw new Error('The output is the input.')
  if (output === STANDARD || overwrite === 'always' || !existsSync(output)) return true
  if (overwrite === 'ask' && process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await terminal.question(`Overwrite ${plain(output)}? [y/N] `).finally(() => terminal.close())
    if (/^y(es)?$/i.test(answer.trim())) return true
  }
  process.stderr.write(`merlon: ${plain(output)} exists and was not overwritten.\n`)
  return false
}

async function convert(job: Job, { input, output }: Task): Promise<void> {
  let header: MessageInfo | undefined
  const length = input === STANDARD || job.before ? undefined : statSync(input).size
  const conversion = job.convert(length).on('MessageHeader', (read: MessageInfo) => {
    header = read
    try {
      job.check?.(read)
    } catch (error) {
      conversion.destroy(error as Error)
    }
  })
  const streams = [
    readerOf(input),
    ...(job.before ? [job.before()] : []),
    conversion,
    ...(job.after ? [job.after()] : []),
  ]
  const consume = (result: AsyncIterable<Buffer>) =>
    output === STANDARD ? print(job, result) : writeWhole(output, MODES[job.mode], result)
  await (pipeline as (streams: readonly unknown[]) => Promise<void>)([...streams, consume])
  if (job.metadata && header) await note(job.metadata.file, metadataOf(job.mode, { input, output }, header))
}

async function print({ mode, buffer }: Job, result: AsyncIterable<Buffer>): Promise<void> {
  const held: Buffer[] = []
  let length = 0
  for await (const part of result) {
    if (mode === 'encrypt' && !buffer) await write(part)
    else {
      held.push(part)
      length += part.length
      if (length > HELD_MAX)
        throw new UsageError(`More than ${HELD_MAX} bytes are not held for standard output: say --output FILE.`)
    }
  }
  for (const part of held) await write(part)
}

const write = (part: Buffer): Promise<void> =>
  new Promise((resolve, reject) => process.stdout.write(part, (error) => (error ? reject(error) : resolve())))

/** As the AWS Encryption CLI writes it. */
function metadataOf(mode: Job['mode'], { input, output }: Task, header: MessageInfo): object {
  return {
    mode,
    input: input === STANDARD ? '<stdin>' : input,
    output: output === STANDARD ? '<stdout>' : output,
    header: headerJson(header),
  }
}

export const headerJson = (header: MessageInfo): object => ({
  version: `${header.version}.0`,
  algorithm: suiteHex(header.suiteId),
  message_id: header.messageId.toString('base64'),
  encryption_context: header.encryptionContext,
  encrypted_data_keys: header.encryptedDataKeys.map(({ providerId, rawInfo, encryptedDataKey }) => ({
    key_provider: { provider_id: providerId, key_info: rawInfo.toString('base64') },
    encrypted_data_key: encryptedDataKey.toString('base64'),
  })),
  content_type: header.contentType === 'framed' ? 2 : 1,
  frame_length: header.frameLength,
})

async function note(file: string, metadata: object): Promise<void> {
  const line = `${JSON.stringify(metadata)}\n`
  if (file === STANDARD) process.stdout.write(line)
  else await appendFile(file, line, { mode: 0o600 })
}

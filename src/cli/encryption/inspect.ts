/** `merlon inspect`: what a message says of itself, without a key; and who used its data keys. */
import { open } from 'node:fs/promises'
import { type Inspection, inspect as readMessage } from '../../encryption-sdk/index.ts'
import { INSPECT_BYTES } from '../../encryption-sdk/inspect.ts'
import { clientFor, clientOptions } from '../client.ts'
import type { Command } from '../command.ts'
import { plain, plainly } from '../plain.ts'
import { parseSubcommand } from '../subcommand.ts'
import { STANDARD } from './files.ts'
import { headerJson } from './run.ts'
import { type Use, usesOf } from './trail.ts'

const options = {
  trail: {
    type: 'boolean',
    about: 'uses of its data keys, with their encryption contexts: KMS events in the audit log',
  },
  json: { type: 'boolean', about: 'for programs' },
  ...clientOptions,
} as const

export const inspect: Command = {
  name: 'inspect',
  about:
    'FILE: shows the keys, the encryption context and the algorithm of an encrypted message. Needs no key; - is standard input.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 1, most: 1, names: 'one FILE' })
    const message = readMessage(await beginning(operands[0]!))
    const uses = given.trail ? await usesOf(message, (region) => clientFor({ ...given, region })) : undefined
    const json = () => `${JSON.stringify(plainly({ ...headerJson(message), ...(uses && { uses }) }))}\n`
    process.stdout.write(given.json ? json() : shown(message, uses))
    return 0
  },
}

async function beginning(file: string): Promise<Buffer> {
  if (file !== STANDARD) {
    const handle = await open(file)
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(INSPECT_BYTES), 0, INSPECT_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  }
  const parts: Buffer[] = []
  let length = 0
  for await (const part of process.stdin) {
    parts.push(part as Buffer)
    length += (part as Buffer).length
    if (length >= INSPECT_BYTES) break
  }
  return Buffer.concat(parts)
}

function shown(message: Inspection, uses: readonly Use[] | undefined): string {
  const { suite, signed, contentType, frameLength, encryptionContext, encryptedDataKeys, messageId, version } = message
  const lines = [
    `Message        ${messageId.toString('hex')} (format ${version})`,
    `Algorithm      ${suite}${signed ? ', signed' : ''}`,
    `Content        ${contentType === 'framed' ? `frames of ${frameLength} bytes` : 'one block'}`,
    ...encryptedDataKeys.map(
      ({ providerId, providerInfo }) => `Wrapping key   ${providerId} ${nameOf(providerId, providerInfo)}`,
    ),
    ...Object.entries(encryptionContext).map(([key, value]) => `Context        ${key} = ${value}`),
    'None of this is authenticated before the message is decrypted.',
  ]
  if (uses) lines.push('', ...trailLines(message, uses))
  return `${lines.map(plain).join('\n')}\n`
}

/** Raw AES and ECDH keyrings add binary fields. */
const nameOf = (providerId: string, info: string): string =>
  /ecdh/.test(providerId) ? '(public keys)' : info.replace(/\0.*$/s, '')

function trailLines({ signed, encryptedDataKeys }: Inspection, uses: readonly Use[]): string[] {
  if (!encryptedDataKeys.some(({ providerId }) => providerId === 'aws-kms'))
    return ['No key of the message is one that KMS unwraps for each message: the audit log has nothing about it.']
  const which = signed ? 'this message (by the public key in its context)' : 'messages with these keys and this context'
  return [
    `Uses of ${which}:`,
    ...uses.map(({ time, operation, caller, errorCode, more, eventId }) => {
      const extra = Object.entries(more).map(([key, value]) => `${key}=${value}`)
      return [`  ${time}`, operation, caller, errorCode ?? 'ok', ...extra, eventId].join('  ')
    }),
    ...(uses.length === 0 ? ['  none'] : []),
  ]
}

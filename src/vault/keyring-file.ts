/**
 * The keyring as stored: everything the root key wraps, and nothing else. It is separate from the data, so that a
 * backup carries no key, and destroying a key here destroys it for every backup ever made. One line of JSON and one of
 * its MAC under the installation's key; replaced whole, so a crash leaves the old or the new.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readOwnFile, replaceFile } from './durable-file.ts'
import type { SealerRecord } from './sealer.ts'
import { TrustError, VaultError } from './vault.ts'

export interface KeyringBody {
  readonly version: 1
  readonly installId: string
  /** Grows with every restore: distinguishes a copy from its original. */
  readonly epoch: number
  /** Grows with every change of the keyring. */
  readonly generation: number
  readonly rootVersion: number
  /** A restored copy that must take no automatic action until it is activated. */
  readonly fenced?: boolean
  readonly sealers: readonly SealerRecord[]
  /** Keys of the installation, wrapped: they outlive the root key's versions. */
  readonly keys: { readonly installation: string; readonly backup: string }
  /** By account id: its wrapped key, or null when it was erased. An erased account never gets another one. */
  readonly accounts: Readonly<Record<string, string | null>>
}

export interface ReadKeyring {
  readonly body: KeyringBody
  /** What the MAC is over. */
  readonly line: string
  readonly mac: string
}

/** Where a keyring is stored: in a file of one node, or where many nodes reach it. */
export interface KeyringPlace {
  /** As messages call it. */
  readonly name: string
  /** undefined when there is none. What is read is believed only once {@link isAuthentic}. */
  read(): Promise<ReadKeyring | undefined>
  /**
   * Durable when it resolves. Writes nothing and throws `KeyringMovedError` unless the stored keyring has the expected
   * generation; a new keyring expects none.
   */
  replace(text: string, options: { readonly expected: number | undefined; readonly shred: boolean }): Promise<void>
}

/** Another node has changed the keyring: read its version, then try again. */
export class KeyringMovedError extends VaultError {
  override readonly name = 'KeyringMovedError'
}

/** One file, which no other process changes while the directory's lock is held. */
export const keyringFile = (file: string): KeyringPlace => ({
  name: file,
  read: async () => readKeyring(file),
  replace: async (text, { expected, shred }) => {
    if (expected === undefined && existsSync(file)) throw new KeyringMovedError(`${file} is there already`)
    replaceFile(file, text, { shred })
  },
})

/** undefined when there is no such file. What is read is believed only once {@link isAuthentic}. */
export function readKeyring(file: string): ReadKeyring | undefined {
  const text = readOwnFile(file)
  return text === undefined ? undefined : parseKeyring(file, text)
}

export function parseKeyring(name: string, text: string): ReadKeyring {
  const [line = '', mac = ''] = text.split('\n')
  try {
    const body = JSON.parse(line) as KeyringBody
    if (body.version === 1 && body.sealers.length > 0 && typeof body.installId === 'string') return { body, line, mac }
  } catch {
    // Not JSON: damaged.
  }
  throw new TrustError(
    'MERLON_KEYRING_DAMAGED',
    `${name} is not a keyring of this version. Put it back from the copy beside your latest backup.`,
  )
}

export function keyringText(body: KeyringBody, macKey: Uint8Array): string {
  const line = JSON.stringify(body)
  return `${line}\n${macOf(line, macKey)}\n`
}

export function isAuthentic({ line, mac }: ReadKeyring, macKey: Uint8Array): boolean {
  const [expected, given] = [Buffer.from(macOf(line, macKey)), Buffer.from(mac)]
  return expected.length === given.length && timingSafeEqual(expected, given)
}

const macOf = (line: string, key: Uint8Array): string => createHmac('sha256', key).update(line).digest('base64url')

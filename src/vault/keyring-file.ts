/**
 * The keyring as it lies on disk: everything the root key wraps, and nothing else. It is a file apart from the database,
 * so that a backup of the database carries no key, and destroying a key here destroys it for every backup ever made.
 * One line of JSON and one of its MAC under the installation's key; replaced whole, so a crash leaves the old or the new.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readOwnFile, replaceFile } from './durable-file.ts'
import type { SealerRecord } from './sealer.ts'
import { TrustError } from './vault.ts'

export interface KeyringBody {
  readonly version: 1
  readonly installId: string
  /** Grows with every restore: tells a copy from what it was copied from. */
  readonly epoch: number
  /** Grows with every change of this file. */
  readonly generation: number
  readonly rootVersion: number
  /** A restored copy that must not act by itself until it is activated. */
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

/** undefined when there is no such file. What is read is believed only once {@link isAuthentic}. */
export function readKeyring(file: string): ReadKeyring | undefined {
  const text = readOwnFile(file)
  if (text === undefined) return undefined
  const [line = '', mac = ''] = text.split('\n')
  try {
    const body = JSON.parse(line) as KeyringBody
    if (body.version === 1 && body.sealers.length > 0 && typeof body.installId === 'string') return { body, line, mac }
  } catch {
    // Not JSON: damaged.
  }
  throw new TrustError(
    'MERLON_KEYRING_DAMAGED',
    `${file} is not a keyring of this version. Put it back from the copy beside your latest backup.`,
  )
}

export function writeKeyring(file: string, body: KeyringBody, macKey: Uint8Array, shred: boolean): void {
  const line = JSON.stringify(body)
  replaceFile(file, `${line}\n${macOf(line, macKey)}\n`, { shred })
}

export function isAuthentic({ line, mac }: ReadKeyring, macKey: Uint8Array): boolean {
  const [expected, given] = [Buffer.from(macOf(line, macKey)), Buffer.from(mac)]
  return expected.length === given.length && timingSafeEqual(expected, given)
}

const macOf = (line: string, key: Uint8Array): string => createHmac('sha256', key).update(line).digest('base64url')

/** Automatic sealers: they unlock the root key with what the disk, the environment or another KMS holds. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Client, overHttp } from '../../kernel/client/client.ts'
import { readKeyFile } from '../../vault/file-sealer.ts'
import type { KeyringBody } from '../../vault/keyring-file.ts'
import { publicHalf, type SealerRecord } from '../../vault/sealer.ts'
import { type KmsAddress, type KmsCaller, kmsSeed } from '../../vault/sealers/kms.ts'
import { pkcs11Seed } from '../../vault/sealers/pkcs11.ts'
import { TrustError } from '../../vault/vault.ts'
import { keyFileOf } from '../compose/installation.ts'

export interface SealerEnvironment {
  readonly data: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

export const isAutomatic = ({ settings }: SealerRecord): boolean => ['file', 'pkcs11', 'kms'].includes(settings.kind)

/**
 * A seed that unlocks this sealer. Every key file that it could be in is tried. Throws `VaultError` with the reasons when
 * none does, or when the sealer needs a person.
 */
export async function automaticSeed(
  surroundings: SealerEnvironment,
  { installId }: Pick<KeyringBody, 'installId'>,
  sealer: SealerRecord,
): Promise<Buffer> {
  const { environment } = surroundings
  switch (sealer.settings.kind) {
    case 'file':
      return seedInFiles(installId, sealer, keyFilesOf(surroundings, sealer))
    case 'pkcs11':
      return pkcs11Seed(installId, sealer.id, sealer.settings, pinFrom(environment))
    case 'kms':
      return kmsSeed(installId, sealer.id, sealer.settings, kmsCaller(environment, sealer.settings))
    case 'passphrase':
    case 'shamir':
      throw new TrustError('MERLON_SEALER_UNAVAILABLE', 'this sealer needs a passphrase or key shares.')
  }
}

/**
 * Where the key of a file sealer can be: in the file that `MERLON_KEY_FILE` names, or where the sealer was made. Of
 * several file sealers the variable names the key of one, and a node cannot know of which.
 */
export function keyFilesOf({ data, environment }: SealerEnvironment, { settings }: SealerRecord): readonly string[] {
  if (settings.kind !== 'file') return []
  const named = environment['MERLON_KEY_FILE']
  return [...new Set([...(named === undefined ? [] : [resolve(named)]), keyFileOf(data, settings.path)])]
}

function seedInFiles(installId: string, sealer: SealerRecord, files: readonly string[]): Buffer {
  const reasons: string[] = []
  for (const file of files) {
    try {
      const seed = keyFileSeed(file)
      if (publicHalf(installId, sealer.id, seed) === sealer.publicKey) return seed
      seed.fill(0)
      reasons.push(`the key in ${file} is not the key of this sealer`)
    } catch (error) {
      reasons.push((error as Error).message.replace(/^MERLON_SEALER_UNAVAILABLE: /, ''))
    }
  }
  throw new TrustError('MERLON_SEALER_UNAVAILABLE', reasons.join('; '))
}

/** Whether the key in this file opens one of the keyring's file sealers. */
export function opensFileSealer({ installId, sealers }: Pick<KeyringBody, 'installId' | 'sealers'>, file: string) {
  const seed = keyFileSeed(file)
  try {
    return sealers.some(
      ({ id, settings, publicKey }) => settings.kind === 'file' && publicHalf(installId, id, seed) === publicKey,
    )
  } finally {
    seed.fill(0)
  }
}

export function keyFileSeed(file: string): Buffer {
  try {
    return readKeyFile(file).rootKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new TrustError('MERLON_SEALER_UNAVAILABLE', `${file} is missing. Put it back from where you keep it.`)
  }
}

/** `MERLON_PKCS11_PIN`, or the file that `MERLON_PKCS11_PIN_FILE` names. */
export function pinFrom(environment: SealerEnvironment['environment']): string {
  const { MERLON_PKCS11_PIN: pin, MERLON_PKCS11_PIN_FILE: file } = environment
  if (pin !== undefined) return pin
  if (file !== undefined) return readFileSync(file, 'utf8').trim()
  throw new TrustError('MERLON_SEALER_UNAVAILABLE', 'the PIN is not known: set MERLON_PKCS11_PIN_FILE.')
}

/** Signs with `MERLON_KMS_ACCESS_KEY_ID` and its companions, or with what AWS's clients would use from the environment. */
export function kmsCaller(environment: SealerEnvironment['environment'], { endpoint, region }: KmsAddress): KmsCaller {
  const named = (name: string) => environment[`MERLON_KMS_${name}`] ?? environment[`AWS_${name}`]
  const [accessKeyId, secret, sessionToken] = [
    named('ACCESS_KEY_ID'),
    named('SECRET_ACCESS_KEY'),
    named('SESSION_TOKEN'),
  ]
  if (!accessKeyId || !secret) {
    throw new TrustError(
      'MERLON_SEALER_UNAVAILABLE',
      'there are no credentials for the KMS: set MERLON_KMS_ACCESS_KEY_ID and MERLON_KMS_SECRET_ACCESS_KEY.',
    )
  }
  const credential = { accessKeyId, secret, ...(sessionToken && { sessionToken }) }
  const client = new Client({ credential, region, transport: overHttp(endpoint) })
  return {
    encrypt: (input) => client.json('kms', 'TrentService.Encrypt', input),
    decrypt: (input) => client.json('kms', 'TrentService.Decrypt', input),
  }
}

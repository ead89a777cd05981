/** Sealers that need nobody: what opens them, from the disk, the environment or another KMS. */
import { readFileSync } from 'node:fs'
import { Client, overHttp } from '../kernel/client.ts'
import { readKeyFile } from '../vault/file-sealer.ts'
import type { KeyringBody } from '../vault/keyring-file.ts'
import type { SealerRecord } from '../vault/sealer.ts'
import { type KmsAddress, type KmsCaller, kmsSeed } from '../vault/sealers/kms.ts'
import { pkcs11Seed } from '../vault/sealers/pkcs11.ts'
import { TrustError } from '../vault/vault.ts'
import { keyFileOf } from './installation.ts'

export interface Surroundings {
  readonly data: string
  readonly environment: Readonly<Record<string, string | undefined>>
  body(): KeyringBody
}

export const isAutomatic = ({ settings }: SealerRecord): boolean => ['file', 'pkcs11', 'kms'].includes(settings.kind)

/** Throws `VaultError` with the reason when it cannot be opened without people. */
export async function automaticSeed(surroundings: Surroundings, sealer: SealerRecord): Promise<Buffer> {
  const { environment, data } = surroundings
  const { installId } = surroundings.body()
  switch (sealer.settings.kind) {
    case 'file':
      return keyFileSeed(environment['MERLON_KEY_FILE'] ?? keyFileOf(data, sealer.settings.path))
    case 'pkcs11':
      return pkcs11Seed(installId, sealer.id, sealer.settings, pinFrom(environment))
    case 'kms':
      return kmsSeed(installId, sealer.id, sealer.settings, kmsCaller(environment, sealer.settings))
    case 'passphrase':
    case 'shamir':
      throw new TrustError('MERLON_SEALER_UNAVAILABLE', 'people open this one.')
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
export function pinFrom(environment: Surroundings['environment']): string {
  const { MERLON_PKCS11_PIN: pin, MERLON_PKCS11_PIN_FILE: file } = environment
  if (pin !== undefined) return pin
  if (file !== undefined) return readFileSync(file, 'utf8').trim()
  throw new TrustError('MERLON_SEALER_UNAVAILABLE', 'the PIN is not known: set MERLON_PKCS11_PIN_FILE.')
}

/** Signs with `MERLON_KMS_ACCESS_KEY_ID` and its companions, or with what AWS's clients would use from the environment. */
export function kmsCaller(environment: Surroundings['environment'], { endpoint, region }: KmsAddress): KmsCaller {
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

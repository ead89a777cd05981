/** Jobs whose every run leaves an event in the audit log: imported key material that expires, on whichever node. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../wire/random.ts'
import { isUntimely } from './kinds.ts'
import type { SignedCaller } from './signed-call.ts'
import type { Target } from './workload.ts'

export interface ExpiringKey {
  readonly keyId: string
  /** undefined when no answer came: then it may expire, or never was. */
  readonly acknowledged: boolean
}

const call = (asking: SignedCaller, { url }: Target) =>
  async function kms<T>(operation: string, input: object) {
    return asking.ask(url, (client) => client.json<T>('kms', `TrentService.${operation}`, input))
  }

/** A key with imported material that expires in so many milliseconds. Retries until a node does it. */
export async function expiringKey(
  asking: SignedCaller,
  targets: readonly Target[],
  random: Random,
  lifeMs: number,
  stopped: () => boolean,
): Promise<ExpiringKey | undefined> {
  while (!stopped()) {
    const kms = call(asking, random.pick(targets))
    const made = await kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', { Origin: 'EXTERNAL' })
    if (made.is === 'refused' && !isUntimely(made.message)) throw new Error(made.message)
    if (made.is === 'answered') {
      const keyId = made.output.KeyMetadata.KeyId
      const acknowledged = await imported(asking, targets, random, keyId, lifeMs, stopped)
      if (acknowledged !== undefined) return { keyId, acknowledged }
    }
    await wait(200)
  }
  return undefined
}

/** undefined when it certainly never was. */
async function imported(
  asking: SignedCaller,
  targets: readonly Target[],
  random: Random,
  KeyId: string,
  lifeMs: number,
  stopped: () => boolean,
): Promise<boolean | undefined> {
  while (!stopped()) {
    const offer = await call(asking, random.pick(targets))<{ ImportToken: string; PublicKey: string }>(
      'GetParametersForImport',
      { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
    )
    if (offer.is === 'answered') {
      const key = createPublicKey({ key: Buffer.from(offer.output.PublicKey, 'base64'), format: 'der', type: 'spki' })
      const wrapped = publicEncrypt(
        { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        randomBytes(32),
      )
      const done = await call(asking, random.pick(targets))('ImportKeyMaterial', {
        KeyId,
        ImportToken: offer.output.ImportToken,
        EncryptedKeyMaterial: wrapped.toString('base64'),
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
        ValidTo: Math.ceil((Date.now() + lifeMs) / 1_000),
      })
      if (done.is === 'answered') return true
      // Never repeated: a second import would be a second expiry.
      if (done.is === 'unknown') return false
    }
    await wait(200)
  }
  return undefined
}

/** What is wrong with how often each expired, by the audit log: once when it was acknowledged, never twice. */
export function notOnce(keys: readonly ExpiringKey[], expiries: readonly string[]): string[] {
  const times = new Map<string, number>()
  for (const keyId of expiries) times.set(keyId, (times.get(keyId) ?? 0) + 1)
  const asked = new Set(keys.map(({ keyId }) => keyId))
  return [
    ...keys.flatMap(({ keyId, acknowledged }) => {
      const count = times.get(keyId) ?? 0
      if (count === 1 || (count === 0 && !acknowledged)) return []
      return [`the job of key ${keyId} ran ${count} times`]
    }),
    ...[...times.keys()]
      .filter((keyId) => !asked.has(keyId))
      .map((keyId) => `the job of key ${keyId} was not requested`),
  ]
}

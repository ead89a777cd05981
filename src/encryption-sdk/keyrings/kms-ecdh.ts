/** A keyring of key agreement with an EC key in KMS (KeyUsage KEY_AGREEMENT): KMS computes the shared secret. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { InvalidConfiguration } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, encryptedDataKey } from '../message/header.ts'
import {
  type EcdhCurve,
  type EcdhParties,
  ecdhKeys,
  ecdhUnwrap,
  ecdhWrap,
  keyOfPoint,
  pointOf,
  readParties,
  writeParties,
} from './ecdh-wrapping.ts'
import { bytesOf, granted, type KmsEcdhClient } from './kms-api.ts'
import { isBetween } from './raw-ecdh.ts'
import { readKey } from './raw-rsa.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

/** Public keys are PEM, or DER as `GetPublicKey` answers them. */
type Key = string | Buffer | KeyObject

export type KmsEcdhSchema =
  /** A key in KMS and the public key of one peer. */
  | {
      readonly kind: 'KmsPrivateKeyToStaticPublicKey'
      readonly senderKmsIdentifier: string
      /** Fetched from KMS when absent. */
      readonly senderPublicKey?: Key
      readonly recipientPublicKey: Key
    }
  /** Decrypts what any sender encrypted to a key in KMS; decrypts only. */
  | {
      readonly kind: 'KmsPublicKeyDiscovery'
      readonly recipientKmsIdentifier: string
      readonly recipientPublicKey?: Key
    }

export interface KmsEcdhOptions {
  readonly curve: EcdhCurve
  readonly schema: KmsEcdhSchema
  readonly client: KmsEcdhClient
  readonly grantTokens?: readonly string[]
}

export class KmsEcdhKeyring implements Keyring {
  readonly #options: KmsEcdhOptions
  readonly #keyId: string
  readonly #peer: KeyObject | undefined
  #own: Promise<Buffer> | undefined

  constructor(options: KmsEcdhOptions) {
    const { schema, curve } = options
    this.#options = options
    const discovery = schema.kind === 'KmsPublicKeyDiscovery'
    this.#keyId = discovery ? schema.recipientKmsIdentifier : schema.senderKmsIdentifier
    const own = discovery ? schema.recipientPublicKey : schema.senderPublicKey
    if (own) this.#own = Promise.resolve(pointOf(curve, publicKey(own)))
    this.#peer = discovery ? undefined : publicKey(schema.recipientPublicKey)
    if (this.#peer) pointOf(curve, this.#peer)
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const { curve } = this.#options
    const peer = this.#peer
    if (!peer)
      throw new InvalidConfiguration(
        'An ECDH keyring with KmsPublicKeyDiscovery cannot encrypt: it knows no recipient.',
      )
    const parties: EcdhParties = { sender: await this.#ownPoint(), recipient: pointOf(curve, peer) }
    const secret = await this.#agree(peer)
    return wrapOnce(request, (dataKey) =>
      encryptedDataKey(
        'aws-kms-ecdh',
        writeParties(parties),
        ecdhWrap(curve, parties, secret, dataKey, request.encryptionContext),
      ),
    )
  }

  async onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const { curve } = this.#options
    const own = await this.#ownPoint()
    const peer = this.#peer && pointOf(curve, this.#peer)
    const fitting = ecdhKeys(curve, keys, (parties) => isBetween(parties, own, peer))
    return unwrapFirst(
      request.suite,
      `the KMS ECDH keyring of ${this.#keyId}`,
      fitting,
      async ({ rawInfo, encryptedDataKey }) => {
        const parties = readParties(curve, rawInfo)!
        const other = parties.recipient.equals(own) ? parties.sender : parties.recipient
        const secret = await this.#agree(keyOfPoint(curve, other))
        return ecdhUnwrap(curve, parties, secret, encryptedDataKey, request)
      },
    )
  }

  async #agree(peer: KeyObject): Promise<Buffer> {
    const { client, grantTokens } = this.#options
    const answer = await client.deriveSharedSecret({
      KeyId: this.#keyId,
      PublicKey: peer.export({ format: 'der', type: 'spki' }),
      KeyAgreementAlgorithm: 'ECDH',
      ...granted(grantTokens),
    })
    return bytesOf(answer.SharedSecret, 'SharedSecret')
  }

  #ownPoint(): Promise<Buffer> {
    this.#own ??= this.#fetchOwnPoint().catch((error) => {
      this.#own = undefined
      throw error
    })
    return this.#own
  }

  async #fetchOwnPoint(): Promise<Buffer> {
    const { client, curve, grantTokens } = this.#options
    const answer = await client.getPublicKey({ KeyId: this.#keyId, ...granted(grantTokens) })
    if (answer.KeyUsage !== 'KEY_AGREEMENT')
      throw new InvalidConfiguration(`The key ${this.#keyId} is not for KEY_AGREEMENT.`)
    return pointOf(curve, publicKey(bytesOf(answer.PublicKey, 'PublicKey')))
  }
}

const publicKey = (key: Key): KeyObject =>
  readKey(key, (text) =>
    typeof text === 'string' || text.subarray(0, 10).toString('latin1').startsWith('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: text, format: 'der', type: 'spki' }),
  )

/** A keyring of key agreement between EC keys that the caller holds: the sender's private key and the recipient's public key. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
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
  nodeCurve,
  pointOf,
  readParties,
  writeParties,
} from './ecdh-wrapping.ts'
import { readKey } from './raw-rsa.ts'
import { unwrapFirst, wrapOnce } from './unwrapping.ts'

type Key = string | Buffer | KeyObject

/** The keys of each side. Keys are PEM. */
export type RawEcdhSchema =
  /** Both sides have a lasting key: the recipient knows who sent. */
  | {
      readonly kind: 'RawPrivateKeyToStaticPublicKey'
      readonly senderPrivateKey: Key
      readonly recipientPublicKey: Key
    }
  /** A new sender's key for each message; encrypts only. */
  | { readonly kind: 'EphemeralPrivateKeyToStaticPublicKey'; readonly recipientPublicKey: Key }
  /** Decrypts what any sender encrypted to this key; decrypts only. */
  | { readonly kind: 'PublicKeyDiscovery'; readonly recipientPrivateKey: Key }

export interface RawEcdhOptions {
  readonly curve: EcdhCurve
  readonly schema: RawEcdhSchema
}

export class RawEcdhKeyring implements Keyring {
  readonly #curve: EcdhCurve
  readonly #kind: RawEcdhSchema['kind']
  readonly #privateKey: KeyObject | undefined
  /** Of the other side; undefined where any sender is accepted. */
  readonly #peer: KeyObject | undefined
  readonly #own: Buffer | undefined
  readonly #peerPoint: Buffer | undefined

  constructor({ curve, schema }: RawEcdhOptions) {
    this.#curve = curve
    this.#kind = schema.kind
    if (schema.kind !== 'PublicKeyDiscovery') {
      this.#peer = readKey(schema.recipientPublicKey, createPublicKey)
      this.#peerPoint = pointOf(curve, this.#peer)
    }
    if (schema.kind !== 'EphemeralPrivateKeyToStaticPublicKey') {
      this.#privateKey = readKey(
        schema.kind === 'PublicKeyDiscovery' ? schema.recipientPrivateKey : schema.senderPrivateKey,
        createPrivateKey,
      )
      this.#own = pointOf(curve, this.#privateKey)
    }
  }

  onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    const [peer, recipient] = [this.#peer, this.#peerPoint]
    if (!peer || !recipient)
      throw new InvalidConfiguration(`An ECDH keyring with ${this.#kind} cannot encrypt: it knows no recipient.`)
    return wrapOnce(request, (dataKey) => {
      const privateKey =
        this.#privateKey ?? generateKeyPairSync('ec', { namedCurve: nodeCurve(this.#curve) }).privateKey
      const parties: EcdhParties = { sender: this.#own ?? pointOf(this.#curve, privateKey), recipient }
      const secret = diffieHellman({ privateKey, publicKey: peer })
      return encryptedDataKey(
        'raw-ecdh',
        writeParties(parties),
        ecdhWrap(this.#curve, parties, secret, dataKey, request.encryptionContext),
      )
    })
  }

  async onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const [privateKey, own, peer] = [this.#privateKey, this.#own, this.#peerPoint]
    if (!privateKey || !own)
      throw new InvalidConfiguration(`An ECDH keyring with ${this.#kind} cannot decrypt: it has no private key.`)
    const fitting = ecdhKeys(this.#curve, keys, (parties) => isBetween(parties, own, peer))
    return unwrapFirst(request.suite, 'the raw ECDH keyring', fitting, ({ rawInfo, encryptedDataKey }) => {
      const parties = readParties(this.#curve, rawInfo)!
      const other = parties.recipient.equals(own) ? parties.sender : parties.recipient
      const secret = diffieHellman({ privateKey, publicKey: keyOfPoint(this.#curve, other) })
      return ecdhUnwrap(this.#curve, parties, secret, encryptedDataKey, request)
    })
  }
}

/** Whether a message went between a key and its peer, in either direction; to the key, where any sender is accepted. */
export function isBetween({ sender, recipient }: EcdhParties, own: Buffer, peer: Buffer | undefined): boolean {
  if (!peer) return recipient.equals(own)
  return (sender.equals(own) && recipient.equals(peer)) || (sender.equals(peer) && recipient.equals(own))
}

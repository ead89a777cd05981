/** The default cryptographic materials manager: a fresh data key and a fresh signing key for each message. */
import { contextOf, omit, PUBLIC_KEY, pick, reproduce } from '../context.ts'
import {
  InvalidConfiguration,
  MissingRequiredContext,
  ReservedEncryptionContextKey,
  SignatureInvalid,
} from '../errors.ts'
import { newSigningKey, verificationKey } from '../message/signature.ts'
import { assertDecryptable, suiteToEncrypt } from '../suites.ts'
import type {
  CryptographicMaterialsManager,
  DecryptionMaterials,
  DecryptionMaterialsRequest,
  EncryptionMaterials,
  EncryptionMaterialsRequest,
  Keyring,
} from './materials.ts'

export class DefaultCryptographicMaterialsManager implements CryptographicMaterialsManager {
  readonly #keyring: Keyring

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  async getEncryptionMaterials(request: EncryptionMaterialsRequest): Promise<EncryptionMaterials> {
    const suite = suiteToEncrypt(request.commitmentPolicy, request.suiteId)
    const { requiredContextKeys = new Set<string>() } = request
    for (const key of requiredContextKeys)
      if (!Object.hasOwn(request.encryptionContext, key))
        throw new MissingRequiredContext(`The encryption context has no value for the required key '${key}'.`)
    if (Object.hasOwn(request.encryptionContext, PUBLIC_KEY))
      throw new ReservedEncryptionContextKey(`The encryption context key '${PUBLIC_KEY}' is reserved.`)

    const signing = suite.signature && newSigningKey(suite.signature)
    const pairs = Object.entries(request.encryptionContext)
    const encryptionContext = contextOf(signing ? [...pairs, [PUBLIC_KEY, signing.publicKey]] : pairs)
    const { dataKey, encryptedDataKeys } = await this.#keyring.onEncrypt({ suite, encryptionContext })
    if (dataKey.length !== suite.keyBytes)
      throw new InvalidConfiguration(
        `The keyring made a data key of ${dataKey.length} bytes; ${suite.name} needs ${suite.keyBytes}.`,
      )
    if (encryptedDataKeys.length === 0) throw new InvalidConfiguration('The keyring encrypted no data key.')
    return {
      suite,
      encryptionContext,
      requiredContextKeys,
      dataKey,
      encryptedDataKeys,
      ...(signing && { signingKey: signing.privateKey }),
    }
  }

  async decryptMaterials(request: DecryptionMaterialsRequest): Promise<DecryptionMaterials> {
    const { suite, encryptedDataKeys } = request
    assertDecryptable(request.commitmentPolicy, suite)
    const { context, notStored } = reproduce(request.encryptionContext, request.reproducedContext)
    const stored = Object.hasOwn(request.encryptionContext, PUBLIC_KEY)
      ? request.encryptionContext[PUBLIC_KEY]
      : undefined
    // A message that names a key and is not signed was made from a signed one by taking the signature away.
    if (!suite.signature && stored !== undefined)
      throw new SignatureInvalid('The encryption context has a public key, and the message is not signed.')
    const key = suite.signature && verificationKey(suite.signature, stored)
    const dataKey = await this.#keyring.onDecrypt({ suite, encryptionContext: context }, encryptedDataKeys)
    return {
      suite,
      encryptionContext: context,
      requiredContextKeys: notStored,
      dataKey,
      ...(key && { verificationKey: key }),
    }
  }
}

/** A keyring alone means the default manager over it. */
export const managerOf = (source: Keyring | CryptographicMaterialsManager): CryptographicMaterialsManager =>
  'getEncryptionMaterials' in source ? source : new DefaultCryptographicMaterialsManager(source)

/** What a message stores of its context. */
export const storedContext = ({ encryptionContext, requiredContextKeys }: EncryptionMaterials) =>
  omit(encryptionContext, requiredContextKeys)

/** What a message authenticates of its context without storing it. */
export const hiddenContext = ({
  encryptionContext,
  requiredContextKeys,
}: Pick<EncryptionMaterials, 'encryptionContext' | 'requiredContextKeys'>) =>
  pick(encryptionContext, requiredContextKeys)

/** A keyring of keyrings: a message for all of them, which each can decrypt. */
import { InvalidConfiguration, UnableToDecryptDataKey } from '../errors.ts'
import type { Keyring, UnwrappingRequest, WrappedDataKey, WrappingRequest } from '../materials/materials.ts'
import type { EncryptedDataKey } from '../message/header.ts'

export interface MultiKeyringOptions {
  /** Makes the data key. Without it, the keyring decrypts only. */
  readonly generator?: Keyring
  readonly children?: readonly Keyring[]
}

export class MultiKeyring implements Keyring {
  readonly #generator: Keyring | undefined
  readonly #children: readonly Keyring[]

  constructor({ generator, children = [] }: MultiKeyringOptions) {
    if (!generator && children.length === 0)
      throw new InvalidConfiguration('A multi-keyring needs a generator or children.')
    this.#generator = generator
    this.#children = children
  }

  async onEncrypt(request: WrappingRequest): Promise<WrappedDataKey> {
    if (!this.#generator && !request.dataKey)
      throw new InvalidConfiguration('A multi-keyring without a generator cannot encrypt.')
    const [first, ...others] = [...(this.#generator ? [this.#generator] : []), ...this.#children]
    const { dataKey, encryptedDataKeys } = await first!.onEncrypt(request)
    const keys = [...encryptedDataKeys]
    for (const keyring of others) keys.push(...(await keyring.onEncrypt({ ...request, dataKey })).encryptedDataKeys)
    return { dataKey, encryptedDataKeys: keys }
  }

  async onDecrypt(request: UnwrappingRequest, keys: readonly EncryptedDataKey[]): Promise<Buffer> {
    const errors: Error[] = []
    for (const keyring of [...(this.#generator ? [this.#generator] : []), ...this.#children]) {
      try {
        return await keyring.onDecrypt(request, keys)
      } catch (error) {
        errors.push(error as Error)
      }
    }
    throw new UnableToDecryptDataKey('No keyring could decrypt a data key of the message.', errors)
  }
}

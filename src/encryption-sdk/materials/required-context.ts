/** A materials manager for keys of the encryption context that both sides must know: authenticated, and not stored in messages. */
import { InvalidConfiguration, MissingRequiredContext } from '../errors.ts'
import { managerOf } from './default.ts'
import type {
  CryptographicMaterialsManager,
  DecryptionMaterials,
  DecryptionMaterialsRequest,
  EncryptionMaterials,
  EncryptionMaterialsRequest,
  Keyring,
} from './materials.ts'

export interface RequiredEncryptionContextOptions {
  readonly underlying: Keyring | CryptographicMaterialsManager
  /** At least one. */
  readonly requiredEncryptionContextKeys: readonly string[]
}

/**
 * @example
 * const manager = new RequiredEncryptionContextMaterialsManager({ underlying: keyring, requiredEncryptionContextKeys: ['tenant'] })
 * const { result } = await encrypt(manager, data, { encryptionContext: { tenant: 'blue' } })
 * await decrypt(manager, result, { encryptionContext: { tenant: 'blue' } })
 */
export class RequiredEncryptionContextMaterialsManager implements CryptographicMaterialsManager {
  readonly #underlying: CryptographicMaterialsManager
  readonly #keys: ReadonlySet<string>

  constructor({ underlying, requiredEncryptionContextKeys }: RequiredEncryptionContextOptions) {
    if (requiredEncryptionContextKeys.length === 0)
      throw new InvalidConfiguration('requiredEncryptionContextKeys is empty.')
    this.#underlying = managerOf(underlying)
    this.#keys = new Set(requiredEncryptionContextKeys)
  }

  async getEncryptionMaterials(request: EncryptionMaterialsRequest): Promise<EncryptionMaterials> {
    this.#assertPresent(request.encryptionContext)
    const requiredContextKeys = new Set([...(request.requiredContextKeys ?? []), ...this.#keys])
    const materials = await this.#underlying.getEncryptionMaterials({ ...request, requiredContextKeys })
    for (const key of this.#keys)
      if (!materials.requiredContextKeys.has(key))
        throw new MissingRequiredContext(`The underlying manager does not keep the required key '${key}'.`)
    return materials
  }

  async decryptMaterials(request: DecryptionMaterialsRequest): Promise<DecryptionMaterials> {
    this.#assertPresent(request.reproducedContext ?? {})
    const materials = await this.#underlying.decryptMaterials(request)
    for (const key of this.#keys)
      if (!Object.hasOwn(materials.encryptionContext, key))
        throw new MissingRequiredContext(`The underlying manager does not keep the required key '${key}'.`)
    return materials
  }

  #assertPresent(context: Readonly<Record<string, string>>): void {
    for (const key of this.#keys)
      if (!Object.hasOwn(context, key))
        throw new MissingRequiredContext(`The encryption context has no value for the required key '${key}'.`)
  }
}

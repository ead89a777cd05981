/**
 * Uses of a symmetric key, compared with moto: the work is not the same, for moto checks neither the caller nor the
 * key's state.
 */
import { callOnce, signedJson } from '../requests.mjs'
import { besideMoto, withServers } from './beside-moto.mjs'

const PLAINTEXT = Buffer.alloc(32, 7).toString('base64')

export const callKms = (server, operation, input) => callOnce(server, 'kms', `TrentService.${operation}`, input)

export const kms = (how) =>
  withServers(async (servers) => {
    const ready = new Map()
    for (const server of servers) {
      const { KeyMetadata } = await callKms(server, 'CreateKey', {})
      const { KeyId } = KeyMetadata
      const { CiphertextBlob } = await callKms(server, 'Encrypt', { KeyId, Plaintext: PLAINTEXT })
      ready.set(server, { KeyId, CiphertextBlob })
    }
    const one = (operation, inputOf) => ({
      name: `kms:${operation}`,
      aim: 20,
      requests: async (server) => [
        await signedJson(server, 'kms', `TrentService.${operation}`, inputOf(ready.get(server))),
      ],
    })
    return besideMoto(
      servers,
      [
        one('Encrypt', ({ KeyId }) => ({ KeyId, Plaintext: PLAINTEXT })),
        one('Decrypt', ({ CiphertextBlob }) => ({ CiphertextBlob })),
        one('GenerateDataKey', ({ KeyId }) => ({ KeyId, KeySpec: 'AES_256' })),
      ],
      how,
    )
  })

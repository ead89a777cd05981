/** KMS as the keyrings call it, by the signed client of the command line. */
import type { KmsSymmetricClient } from '../../encryption-sdk/index.ts'
import type { Client } from '../../kernel/client/client.ts'

interface Answer {
  readonly KeyId?: string
  readonly Plaintext?: string
  readonly CiphertextBlob?: string
}

const bytesOf = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text, 'base64'))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

export function kmsOver(client: Client): KmsSymmetricClient {
  const call = async (operation: string, input: object) => {
    const { KeyId, Plaintext, CiphertextBlob } = await client.json<Answer>('kms', `TrentService.${operation}`, input)
    return { KeyId, Plaintext: bytesOf(Plaintext), CiphertextBlob: bytesOf(CiphertextBlob) }
  }
  return {
    generateDataKey: (input) => call('GenerateDataKey', input),
    encrypt: (input) => call('Encrypt', { ...input, Plaintext: text(input.Plaintext) }),
    decrypt: (input) => call('Decrypt', { ...input, CiphertextBlob: text(input.CiphertextBlob) }),
  }
}

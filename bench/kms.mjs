/** Uses of a symmetric key, beside moto: the work is not the same, for moto checks neither who asks nor the key's state. */
import { signedJson } from './requests.mjs'

const PLAINTEXT = Buffer.alloc(32, 7).toString('base64')

/** Asks once and returns the answer's members. */
export async function ask(server, operation, input) {
  const request = await signedJson(server, 'kms', `TrentService.${operation}`, input)
  const [head, body] = request.split('\r\n\r\n')
  const headers = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(': '))
    .filter(([name]) => !['host', 'content-length'].includes(name))
  const answer = await fetch(server.url, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(`${server.name}, ${operation}: ${await answer.text()}`)
  return answer.json()
}

export async function kmsCases(servers) {
  const ready = new Map()
  for (const server of servers) {
    const { KeyMetadata } = await ask(server, 'CreateKey', {})
    const { KeyId } = KeyMetadata
    const { CiphertextBlob } = await ask(server, 'Encrypt', { KeyId, Plaintext: PLAINTEXT })
    ready.set(server, { KeyId, CiphertextBlob })
  }
  const one = (operation, inputOf) => ({
    name: `kms:${operation}`,
    requests: async (server) => [
      await signedJson(server, 'kms', `TrentService.${operation}`, inputOf(ready.get(server))),
    ],
    total: { Merlon: 20_000, moto_server: 1_500 },
  })
  return [
    one('Encrypt', ({ KeyId }) => ({ KeyId, Plaintext: PLAINTEXT })),
    one('Decrypt', ({ CiphertextBlob }) => ({ CiphertextBlob })),
    one('GenerateDataKey', ({ KeyId }) => ({ KeyId, KeySpec: 'AES_256' })),
  ]
}

/** Signatures through the API beside `openssl speed` on one core: the bare operation, which nobody asks permission for. */
import { spawnSync } from 'node:child_process'
import { ask } from './kms.mjs'
import { signedJson } from './requests.mjs'

const TOTAL = 4_000
const cases = [
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', ['rsa2048'], 'rsa'],
  ['ECC_NIST_P256', 'ECDSA_SHA_256', ['ecdsap256'], 'ecdsa'],
]

export async function benchSignatures(server, load) {
  for (const [KeySpec, SigningAlgorithm, words, kind] of cases) {
    const { KeyMetadata } = await ask(server, 'CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY' })
    const { KeyId } = KeyMetadata
    const rates = {}
    for (const MessageType of ['RAW', 'DIGEST']) {
      const Message = Buffer.alloc(32, 7).toString('base64')
      const input = { KeyId, SigningAlgorithm, MessageType, Message }
      const { count, seconds } = await load([await signedJson(server, 'kms', 'TrentService.Sign', input)], TOTAL)
      rates[MessageType] = Math.round(count / seconds)
    }
    const bare = opensslRate(words, kind)
    console.log(
      `kms:Sign ${KeySpec}: RAW ${rates.RAW}/s, DIGEST ${rates.DIGEST}/s; openssl speed ${bare ?? '?'}/s on one core\n`,
    )
  }
}

/** Signatures a second, as `openssl speed -mr` tells them; undefined where there is no openssl. */
function opensslRate(words, kind) {
  const { stdout, error } = spawnSync('openssl', ['speed', '-mr', '-seconds', '2', ...words], { encoding: 'utf8' })
  if (error) return undefined
  const line = stdout.split('\n').find((each) => each.startsWith(kind === 'rsa' ? '+F2:' : '+F4:'))
  const seconds = Number(line?.split(':')[3])
  if (!seconds) return undefined
  return Math.round(seconds < 1 ? 1 / seconds : seconds)
}

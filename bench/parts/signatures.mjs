/** Signatures where the vault makes them, beside `openssl speed` on one core; and what the API makes of them. */
import { spawnSync } from 'node:child_process'
import { load } from '../drive.mjs'
import { withPrograms } from '../programs.mjs'
import { number, share, table } from '../report.mjs'
import { signedJson } from '../requests.mjs'
import { interleaved } from '../rounds.mjs'
import { startMerlon } from '../servers.mjs'
import { callKms } from './kms.mjs'

const MESSAGE = Buffer.alloc(32, 7).toString('base64')
const SECONDS = 1
const keys = [
  { spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', openssl: 'rsa2048', line: '+F2:', aim: 0.85 },
  { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', openssl: 'ecdsap256', line: '+F4:', aim: 0.7 },
]

export const signatures = ({ full, rounds }) =>
  withPrograms({ sign: 'programs/sign.ts' }, async (program) => {
    const server = await startMerlon()
    const rows = []
    for (const key of keys) {
      const { KeyMetadata } = await callKms(server, 'CreateKey', { KeySpec: key.spec, KeyUsage: 'SIGN_VERIFY' })
      const overApi = (MessageType) => async () => {
        const input = { KeyId: KeyMetadata.KeyId, SigningAlgorithm: key.algorithm, MessageType, Message: MESSAGE }
        const request = await signedJson(server, 'kms', 'TrentService.Sign', input)
        const { count, seconds } = await load(server, [request], full ? 8_000 : 3_000)
        return { rate: count / seconds }
      }
      const ways = [
        async () => ({ rate: opensslRate(key) }),
        async () => JSON.parse(output([process.execPath, program('sign'), key.spec, key.algorithm, String(SECONDS)])),
        overApi('RAW'),
        overApi('DIGEST'),
      ]
      const [bare, vault, raw, digest] = await interleaved(ways, rounds, (way) => way())
      rows.push([
        key.spec,
        `${number(bare.rate)}/s`,
        `${number(vault.rate)}/s`,
        share(vault.rate / bare.rate, key.aim),
        `${number(raw.rate)}/s`,
        `${number(digest.rate)}/s`,
      ])
    }
    await server.stop()
    return [
      table(
        ['', 'openssl speed, one core', 'the vault, one at a time', 'share', 'API, messages', 'API, digests'],
        rows,
      ),
      '',
      `Medians of ${rounds} interleaved rounds. The first two are by processor time, as \`openssl speed\` counts: the vault finds the`,
      'key and signs a message of 32 bytes, one after another. The API, by the clock and on all cores, also checks the caller, and',
      'has each call on disk before it answers.',
    ].join('\n')
  })

/** Signatures a second, as `openssl speed -mr` reports them; NaN where there is no openssl. */
function opensslRate({ openssl, line }) {
  const text = output(['openssl', 'speed', '-mr', '-seconds', String(SECONDS), openssl])
  const rate = Number(
    text
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.split(':')[3],
  )
  return rate < 1 ? 1 / rate : rate
}

function output([command, ...words]) {
  const { stdout } = spawnSync(command, words, { encoding: 'utf8' })
  return stdout ?? ''
}

/**
 * `node bench/encryption.mjs [MIB]`: a stream encrypted and decrypted again in one process, by `merlon/encryption-sdk` and by the
 * official SDK (`@aws-crypto/client-node`), in turns, with the default algorithm suite of both (signed, committing) and a raw AES
 * key. Prints one JSON line a run: MiB per second of plaintext through both directions, and the largest resident memory. The last
 * line has the ratio of the medians. Default: 512 MiB, three rounds; the issue's figure is `4096`. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

const ROUNDS = 3
const CHUNK = randomBytes(256 * 1024)
const MIB = 1024 * 1024

const sides = {
  merlon: async () => {
    const { buildClient, RawAesKeyring } = await import('../dist/encryption-sdk.js')
    const keyring = new RawAesKeyring({ keyNamespace: 'bench', keyName: 'k', key: randomBytes(32) })
    const { encryptStream, decryptStream } = buildClient()
    return [encryptStream(keyring), decryptStream(keyring)]
  },
  official: async () => {
    const { buildClient, RawAesKeyringNode, RawAesWrappingSuiteIdentifier } = await import('@aws-crypto/client-node')
    const keyring = new RawAesKeyringNode({
      keyNamespace: 'bench',
      keyName: 'k',
      unencryptedMasterKey: randomBytes(32),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    })
    const { encryptStream, decryptStream } = buildClient()
    return [encryptStream(keyring), decryptStream(keyring)]
  },
}

async function run(side, bytes) {
  const streams = await sides[side]()
  function* source() {
    for (let sent = 0; sent < bytes; sent += CHUNK.length) yield CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent))
  }
  let received = 0
  const sink = new Writable({
    write(part, _encoding, done) {
      received += part.length
      done()
    },
  })
  const startedAt = performance.now()
  await pipeline(Readable.from(source(), { objectMode: false }), ...streams, sink)
  const seconds = (performance.now() - startedAt) / 1000
  if (received !== bytes) throw new Error(`${side} returned ${received} of ${bytes} bytes`)
  // Kilobytes, the largest of the process.
  return {
    side,
    mib: bytes / MIB,
    mibPerSecond: Math.round(bytes / MIB / seconds),
    maxRssMib: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

const [, , first = '512', side] = process.argv
if (side) console.log(JSON.stringify(await run(side, Number(first) * MIB)))
else {
  const rates = { merlon: [], official: [] }
  for (let round = 0; round < ROUNDS; round++)
    for (const each of Object.keys(sides)) {
      const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), first, each], {
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`${each} ended with ${status}`)
      process.stdout.write(stdout)
      rates[each].push(JSON.parse(stdout).mibPerSecond)
    }
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
  console.log(JSON.stringify({ ratio: Number((median(rates.merlon) / median(rates.official)).toFixed(2)) }))
}

/**
 * Signatures a second of processor time where the vault makes them, one after another: without the API, and with finding the
 * key. By processor time, all threads', because `openssl speed` counts so.
 */
import { ephemeralVault } from '../../src/vault/ephemeral.ts'
import type { StoredMaterial } from '../../src/vault/material/materials.ts'
import type { SigningAlgorithm, Spec } from '../../src/vault/material/specs.ts'

const [spec = '', algorithm = '', seconds = '1'] = process.argv.slice(2)
const account = '111122223333'
const home = { table: 'kms/key', key: 'us-east-1/bench', column: 'material', account, name: 'bench' }

const vault = await ephemeralVault()
await vault.prepare(account)
const { materials } = vault
const made = await materials.generate(home, spec as Spec)
const held: StoredMaterial = { home, spec: spec as Spec, id: made.id, sealed: made.sealed }
const message = Buffer.alloc(32, 7)

async function rate(ms: number): Promise<number> {
  const startedAt = performance.now()
  const used = process.cpuUsage()
  let done = 0
  while (performance.now() - startedAt < ms) {
    await materials.use(held, { do: 'sign', algorithm: algorithm as SigningAlgorithm, type: 'RAW', message })
    done++
  }
  const { user, system } = process.cpuUsage(used)
  return done / ((user + system) / 1e6)
}

await rate(300)
console.log(JSON.stringify({ rate: await rate(Number(seconds) * 1000) }))

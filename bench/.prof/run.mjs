/**
 * `npm run bench -- [part …] [--full] [--write]`: Merlon beside its peers, in one run. Without names all parts run, over small
 * data; `--full` takes the sizes and rounds that docs/benchmarks.md speaks of, and `--write` puts the tables there.
 */
import { api } from './parts/api.mjs'
import { decisions } from './parts/decisions.mjs'
import { encryptionSdk } from './parts/encryption-sdk.mjs'
import { events } from './parts/events.mjs'
import { growth } from './parts/growth.mjs'
import { identityCenter } from './parts/identity-center.mjs'
import { kms } from './parts/kms.mjs'
import { networkReach } from './parts/network.mjs'
import { processor } from './parts/processor.mjs'
import { secrets } from './parts/secrets.mjs'
import { signatures } from './parts/signatures.mjs'
import { start } from './parts/start.mjs'
import { store } from './parts/store.mjs'
import { machine, publish } from './report.mjs'

const parts = {
  start,
  processor,
  api,
  kms,
  secrets,
  signatures,
  decisions,
  store,
  events,
  growth,
  'encryption-sdk': encryptionSdk,
  'identity-center': identityCenter,
  network: networkReach,
}

const words = process.argv.slice(2)
const options = new Set(words.filter((word) => word.startsWith('--')))
const names = words.filter((word) => !word.startsWith('--'))
const unknown = [
  ...names.filter((name) => !Object.hasOwn(parts, name)),
  ...[...options].filter((option) => !['--full', '--write'].includes(option)),
]
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}\nparts: ${Object.keys(parts).join(' ')}\noptions: --full --write`)
  process.exit(2)
}

// What runs for the bench ends with it, and its data goes.
process.setMaxListeners(0)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const full = options.has('--full')
const facts = machine()
console.log(`${facts}\n`)
for (const name of names.length > 0 ? names : Object.keys(parts)) {
  const startedAt = performance.now()
  const text = await parts[name]({ full, rounds: full ? 7 : 3 })
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.log(`## ${name} (${seconds} s)\n\n${text}\n`)
  if (options.has('--write')) publish(name, `${text}\n\n${new Date().toISOString().slice(0, 10)}; ${facts}.`)
}

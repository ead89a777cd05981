/** Pebble, the test authority of Let's Encrypt: ACME with external account bindings, and challenges that are really validated. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'

export const hasPebble = existsSync('/usr/bin/pebble')

const BINDING = { keyId: 'merlon', macKey: 'bWVybG9uIG1lcmxvbiBtZXJsb24gbWVybG9uIG1lcmxvbg' }
const DAYS = 9_000

export interface PebblePlace {
  /** What Merlon is configured with, before Pebble runs. */
  readonly environment: Readonly<Record<string, string>>
  /** `httpPort`: where documents of http-01 are fetched; `dns`: the resolver, ADDRESS:PORT. */
  start(options: { readonly httpPort?: number; readonly dns: string }): Promise<Pebble>
}

export interface Pebble {
  /** PEM of the root that signs what it issues. */
  root(): Promise<string>
  log(): string
  stop(): Promise<void>
}

export async function pebblePlace(): Promise<PebblePlace> {
  const folder = temporaryFolder()
  const file = (name: string) => join(folder, name)
  const [port, management] = [await freePort(), await freePort()]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=pebble',
  ]
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-days', String(DAYS)]
  execFileSync('openssl', [...request, ...names, '-keyout', file('key.pem'), '-out', file('cert.pem')], {
    stdio: 'ignore',
  })
  writeFileSync(file('eab'), `${BINDING.keyId} ${BINDING.macKey}\n`)
  return {
    environment: {
      MERLON_ACME_DIRECTORY: `https://localhost:${port}/dir`,
      MERLON_ACME_CA: file('cert.pem'),
      MERLON_ACME_EAB_FILE: file('eab'),
      MERLON_ACME_CONTACT: 'admin@corp.test',
    },
    start: async ({ httpPort, dns }) => {
      const pebble = {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: file('cert.pem'),
        privateKey: file('key.pem'),
        httpPort: httpPort ?? (await freePort()),
        tlsPort: await freePort(),
        ocspResponderURL: '',
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { [BINDING.keyId]: BINDING.macKey },
      }
      writeFileSync(file('config.json'), JSON.stringify({ pebble }))
      const words = ['-config', file('config.json'), '-dnsserver', dns]
      // One nonce of five is refused, which clients have to bear.
      const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20', PEBBLE_AUTHZREUSE: '0' }
      const child = spawn('/usr/bin/pebble', words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let log = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk))
      const ca = readFileSync(file('cert.pem'))
      const root = () => fetched(`https://localhost:${management}/roots/0`, ca)
      for (let tries = 0; ; tries++) {
        try {
          await root()
          break
        } catch (error) {
          if (tries > 100) throw error
          await sleep(100)
        }
      }
      return {
        root,
        log: () => log,
        stop: async () => {
          child.kill('SIGTERM')
          await once(child, 'exit')
        },
      }
    },
  }
}

const fetched = (url: string, ca: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })

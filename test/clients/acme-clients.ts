/** ACME clients that others wrote, unmodified, each behind the same interface. All keep their account in a folder of their own. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as npmClient from 'acme-client'
import { temporaryFolder } from '../process.ts'
import type { Binding } from './acme-endpoint.ts'
import { cleanEnvironment, run } from './command.ts'

export interface Outcome {
  readonly isDone: boolean
  /** What the client printed. */
  readonly text: string
}

export interface AcmeClient {
  obtain(): Promise<Outcome>
  /** With the account of `obtain`, although the certificate is new. */
  renew(): Promise<Outcome>
  /** PEM of the certificate that the client has. */
  certificate(): string
}

interface Configuration {
  /** The directory of the ACME server. */
  readonly url: string
  readonly domain: string
  readonly binding: Pick<Binding, 'keyId' | 'macKey'>
}

export interface ClientProgram {
  readonly name: string
  readonly isInstalled: boolean
  readonly client: (configuration: Configuration) => AcmeClient
}

async function outcome(program: string, words: readonly string[], folder: string): Promise<Outcome> {
  const { status, stdout, stderr } = await run(program, words, cleanEnvironment(folder), folder)
  return { isDone: status === 0, text: stdout + stderr }
}

function lego({ url, domain, binding: { keyId, macKey } }: Configuration): AcmeClient {
  const folder = temporaryFolder()
  const call = (...words: readonly string[]) =>
    outcome(
      '/usr/bin/lego',
      [
        ...['--server', url, '--path', folder, '--accept-tos', '--email', 'admin@corp.test', '--http', '--http.port'],
        ...['127.0.0.1:0', '--eab', '--kid', keyId, '--hmac', macKey, '--domains', domain, ...words],
      ],
      folder,
    )
  return {
    obtain: () => call('run'),
    renew: () => call('renew', '--days', '9999', '--no-random-sleep'),
    certificate: () => readFileSync(join(folder, `certificates/${domain}.crt`), 'utf8'),
  }
}

function dehydrated({ url, domain, binding: { keyId, macKey } }: Configuration): AcmeClient {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'www'))
  const settings = {
    CA: url,
    BASEDIR: folder,
    WELLKNOWN: join(folder, 'www'),
    EAB_KID: keyId,
    EAB_HMAC_KEY: macKey,
    // Of the account's key.
    KEYSIZE: 2048,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`)
  writeFileSync(join(folder, 'config'), lines.join(''))
  const call = (...words: readonly string[]) =>
    outcome('/usr/bin/dehydrated', ['--config', join(folder, 'config'), ...words], folder)
  return {
    obtain: async () => {
      const registered = await call('--register', '--accept-terms')
      return registered.isDone ? call('--cron', '--domain', domain) : registered
    },
    renew: () => call('--cron', '--domain', domain, '--force'),
    certificate: () => readFileSync(join(folder, `certs/${domain}/cert.pem`), 'utf8'),
  }
}

function npmAcmeClient({ url, domain, binding: { keyId, macKey } }: Configuration): AcmeClient {
  let client: npmClient.Client | undefined
  let pem = ''
  const obtain = async (): Promise<Outcome> => {
    client ??= new npmClient.Client({
      directoryUrl: url,
      accountKey: await npmClient.crypto.createPrivateEcdsaKey(),
      externalAccountBinding: { kid: keyId, hmacKey: macKey },
    })
    const [, csr] = await npmClient.crypto.createCsr({ commonName: domain, altNames: [domain] })
    const challenge = () => Promise.reject(new Error('The domain is proved beforehand.'))
    try {
      const options = { csr, termsOfServiceAgreed: true, challengeCreateFn: challenge, challengeRemoveFn: challenge }
      pem = await client.auto(options)
      return { isDone: true, text: '' }
    } catch (error) {
      return { isDone: false, text: String(error) }
    }
  }
  return { obtain, renew: obtain, certificate: () => pem }
}

export const programs: readonly ClientProgram[] = [
  { name: 'lego', isInstalled: existsSync('/usr/bin/lego'), client: lego },
  { name: 'dehydrated', isInstalled: existsSync('/usr/bin/dehydrated'), client: dehydrated },
  { name: 'acme-client of npm', isInstalled: true, client: npmAcmeClient },
]

/** nginx with a certificate that ACM exported: its key under the passphrase, its chain, and the renewed one without a failed request. */
import { execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { ACMClient, ExportCertificateCommand } from '@aws-sdk/client-acm'
import { expect, onTestFinished, test } from 'vitest'
import { derOf } from '../../src/engines/x509/certificate-builder.ts'
import { pathCertificate } from '../../src/engines/x509/path-certificate.ts'
import { validatePath } from '../../src/engines/x509/path-validation.ts'
import { certificatesCloud, DAY_MS } from '../../src/services/acm/acm.fixture.ts'
import { freePort } from '../rotation/databases.ts'

const PASSPHRASE = 'correct horse'
const NAME = 'www.corp.test'
const SLOW_BYTES = 60_000

const serialOf = (text: string) => text.replaceAll(':', '').toUpperCase()

async function nginx(install: (folder: string) => Promise<string>, now: () => number) {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-nginx-'))
  const port = await freePort()
  mkdirSync(join(folder, 'www'))
  writeFileSync(join(folder, 'www', 'hello'), 'hello')
  writeFileSync(join(folder, 'www', 'slow'), 'x'.repeat(SLOW_BYTES))
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
  const rootPem = await install(folder)
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;${process.getuid?.() === 0 ? ' user root;' : ''}
events { }
http {
  access_log off; ${kept.join(' ')}
  server {
    listen 127.0.0.1:${port} ssl; server_name ${NAME}; root ${folder}/www;
    ssl_certificate ${folder}/chain.pem; ssl_certificate_key ${folder}/key.pem; ssl_password_file ${folder}/passphrase;
    location /slow { limit_rate 20k; }
  }
}
`,
  )
  const config = ['-c', join(folder, 'nginx.conf')]
  const server = spawn('nginx', config, { stdio: 'ignore' })
  onTestFinished(async () => {
    server.kill('SIGTERM')
    await once(server, 'exit')
    rmSync(folder, { recursive: true })
  })
  const root = pathCertificate(derOf(rootPem))
  /** A client by the authority's clock, which is not that of this machine: the chain that was sent is verified here. */
  const get = (path: string): Promise<{ readonly serial: string; readonly body: string }> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, servername: NAME, headers: { host: NAME }, agent: false }
      const sent = request({ ...options, ca: rootPem, rejectUnauthorized: false }, (answer) => {
        const { serialNumber: serial, raw, issuerCertificate } = (answer.socket as TLSSocket).getPeerCertificate(true)
        const sentPath = [raw, issuerCertificate.raw].map(pathCertificate)
        const isNamed = new X509Certificate(raw).checkHost(NAME) !== undefined
        const verified = validatePath(sentPath, root, { now: now(), purpose: 'server' })
        let body = ''
        answer.on('data', (chunk) => (body += chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          verified.then(
            ({ isValid }) => (isValid && isNamed ? resolve({ serial, body }) : reject(new Error('not trusted'))),
            reject,
          ),
        )
      })
      sent.on('error', reject)
      sent.end()
    })
  await expect.poll(() => get('/hello').then(({ body }) => body), { timeout: 10_000 }).toBe('hello')
  return { folder, get, reload: () => void execFileSync('nginx', [...config, '-s', 'reload'], { stdio: 'ignore' }) }
}

test('An exported certificate is served by nginx to clients that trust the root, and the renewed one without a failure', async () => {
  const it = await certificatesCloud()
  const arn = await it.request(NAME, { Options: { Export: 'ENABLED' } })
  await it.prove(arn)
  await it.pass(5_000)
  const install = async (folder: string): Promise<string> => {
    const { Certificate, CertificateChain, PrivateKey } = await it
      .client(ACMClient)
      .send(new ExportCertificateCommand({ CertificateArn: arn, Passphrase: Buffer.from(PASSPHRASE) }))
    const [issuing = '', root = ''] = CertificateChain!.split(/(?<=-----END CERTIFICATE-----\n)/)
    writeFileSync(join(folder, 'chain.pem'), Certificate! + issuing)
    writeFileSync(join(folder, 'key.pem'), PrivateKey!)
    return root
  }
  const server = await nginx(install, () => it.clock.now())
  const first = serialOf((await it.describe(arn)).Serial!)
  expect((await server.get('/hello')).serial).toBe(first)

  for (let day = 0; day < 140 && serialOf((await it.describe(arn)).Serial!) === first; day++) {
    await it.pass(DAY_MS)
    await it.pass(2_000)
  }
  const slow = server.get('/slow')
  // Its response has to have begun.
  await sleep(500)
  await install(server.folder)
  const served: string[] = []
  server.reload()
  for (let at = 0; at < 40; at++) {
    served.push((await server.get('/hello')).serial)
    await sleep(50)
  }
  expect(served.at(-1)).toBe(serialOf((await it.describe(arn)).Serial!))
  expect(served.at(-1)).not.toBe(first)
  expect(await slow).toEqual({ serial: first, body: 'x'.repeat(SLOW_BYTES) })
})

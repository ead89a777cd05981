/** Apache with Debian's mod_md: a web server that manages its own certificate by ACME, and follows renewal information (RFC 9773). */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { freePort } from '../rotation/databases.ts'
import type { Binding } from './acme-endpoint.ts'

const MODULES = '/usr/lib/apache2/modules'

/** mod_md has renewal information since 2.6. */
export const hasApacheMd =
  existsSync('/usr/sbin/apache2') &&
  existsSync(`${MODULES}/mod_md.so`) &&
  readFileSync(`${MODULES}/mod_md.so`).includes('MDRenewViaARI')

export interface ApacheMd {
  /** Whether a certificate waits for a restart. */
  isStaged(): boolean
  /** Graceful: what is staged is served from then on. */
  restart(): void
  /** Upper-case hexadecimal. */
  servedSerial(): Promise<string>
  log(): string
  stop(): Promise<void>
}

export async function apacheMd(
  url: string,
  domain: string,
  { keyId, macKey }: Pick<Binding, 'keyId' | 'macKey'>,
): Promise<ApacheMd> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-apache-md-'))
  const file = (name: string) => join(folder, name)
  const [http, https] = [await freePort(), await freePort()]
  const modules = ['mpm_event', 'authz_core', 'ssl', 'md']
  writeFileSync(
    file('apache.conf'),
    `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
LogLevel warn md:debug
ServerName ${domain}
Listen 127.0.0.1:${http}
Listen 127.0.0.1:${https}
PidFile ${file('pid')}
ErrorLog ${file('error.log')}
DocumentRoot ${folder}
User www-data
Group www-data
MDStoreDir ${file('md')}
MDCertificateAuthority ${url}
MDCertificateAgreement accepted
MDContactEmail admin@corp.test
MDExternalAccountBinding ${keyId} ${macKey}
MDPrivateKeys secp256r1
MDCheckInterval 1s
MDInitialDelay 0
MDRetryDelay 1s
MDPortMap http:${http} https:${https}
MDomain ${domain}
<VirtualHost *:${https}>
ServerName ${domain}
SSLEngine on
</VirtualHost>
`,
  )
  execFileSync('chown', ['-R', 'www-data', folder])
  const running = spawn('/usr/sbin/apache2', ['-DFOREGROUND', '-f', file('apache.conf')], { stdio: 'ignore' })
  const ended = new Promise((resolve) => running.once('exit', resolve))
  return {
    isStaged: () => existsSync(file(`md/staging/${domain}/pubcert.secp256r1.pem`)),
    restart: () => void running.kill('SIGUSR1'),
    servedSerial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: https, servername: domain, rejectUnauthorized: false })
        socket.once('error', reject)
        socket.once('secureConnect', () => {
          resolve(socket.getPeerCertificate().serialNumber)
          socket.destroy()
        })
      }),
    log: () => readFileSync(file('error.log'), 'utf8'),
    stop: async () => {
      running.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

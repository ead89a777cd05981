/** OpenLDAP's slapd with TLS, on a loopback port of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export const BASE = 'dc=corp,dc=test'
export const SERVICE_PASSWORD = 'Service-Passw0rd'

const PEOPLE = `
dn: ${BASE}
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: cn=svc,${BASE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: svc
userPassword: ${SERVICE_PASSWORD}

dn: ou=people,${BASE}
objectClass: organizationalUnit
ou: people

dn: uid=ann,ou=people,${BASE}
objectClass: inetOrgPerson
uid: ann
cn: Ann Example
sn: Example
mail: ann@corp.test
userPassword: Ann-Passw0rd

dn: uid=a*b(c),ou=people,${BASE}
objectClass: inetOrgPerson
uid: a*b(c)
cn: Star
sn: Star
userPassword: Star-Passw0rd

dn: cn=engineers,${BASE}
objectClass: groupOfNames
cn: engineers
member: uid=ann,ou=people,${BASE}

dn: cn=staff,${BASE}
objectClass: groupOfNames
cn: staff
member: cn=engineers,${BASE}
member: cn=everyone,${BASE}

dn: cn=everyone,${BASE}
objectClass: groupOfNames
cn: everyone
member: cn=staff,${BASE}
`

export interface Slapd {
  readonly port: number
  readonly ca: string
  /** An LDIF of changes, as the administrator. */
  modify(ldif: string): void
  stop(): Promise<void>
  start(): Promise<void>
  remove(): Promise<void>
}

/** `ldaps` at the port, `ldap` with StartTLS at the next one. The certificate is for `ldap.corp.test`. */
export async function slapd(port: number): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-slapd-'))
  const file = (name: string) => join(folder, name)
  mkdirSync(file('db'))
  execFileSync(
    'openssl',
    // biome-ignore format: arguments in pairs
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=ldap.corp.test',
      '-addext', 'subjectAltName=DNS:ldap.corp.test', '-keyout', file('key.pem'), '-out', file('cert.pem')],
    { stdio: 'ignore' },
  )
  writeFileSync(
    file('slapd.conf'),
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${file('pid')}
TLSCertificateFile ${file('cert.pem')}
TLSCertificateKeyFile ${file('key.pem')}
security simple_bind=128
database mdb
suffix "${BASE}"
rootdn "cn=root,${BASE}"
rootpw root-Passw0rd
directory ${file('db')}
`,
  )
  chmodSync(folder, 0o755)
  writeFileSync(file('people.ldif'), PEOPLE.trimStart())
  execFileSync('/usr/sbin/slapadd', ['-f', file('slapd.conf'), '-l', file('people.ldif')])
  let running: ChildProcess | undefined
  const start = async () => {
    const urls = `ldaps://127.0.0.1:${port} ldap://127.0.0.1:${port + 1}`
    running = spawn('/usr/sbin/slapd', ['-f', file('slapd.conf'), '-h', urls, '-d', '0'], { stdio: 'ignore' })
    await listening(port)
  }
  const stop = async () => {
    const ended = running && new Promise((resolve) => running!.once('exit', resolve))
    running?.kill('SIGKILL')
    await ended
    running = undefined
  }
  await start()
  return {
    port,
    ca: readFileSync(file('cert.pem'), 'utf8'),
    modify: (ldif) => {
      const env = { ...process.env, LDAPTLS_REQCERT: 'never' }
      const words = ['-x', '-H', `ldaps://127.0.0.1:${port}`, '-D', `cn=root,${BASE}`, '-w', 'root-Passw0rd']
      execFileSync('ldapmodify', words, { input: ldif, env, stdio: ['pipe', 'ignore', 'inherit'] })
    },
    start,
    stop,
    remove: async () => {
      await stop()
      rmSync(folder, { recursive: true })
    },
  }
}

export async function listening(port: number, ms = 30_000): Promise<void> {
  const until = Date.now() + ms
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
        .once('connect', () => {
          socket.destroy()
          resolve(true)
        })
        .once('error', () => resolve(false))
    })
    if (isOpen) return
    if (Date.now() > until) throw new Error(`No server listens at port ${port}.`)
    await pause(50)
  }
}

/**
 * A domain of Samba's Active Directory in a network namespace of its own: its ports are fixed, and no other process sees
 * them. A Unix socket leads in, and a loopback port leads to the socket.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Attribute, Change, Client } from 'ldapts'

export const ADMIN_PASSWORD = 'Adm1n-Passw0rd'
/** Of each of {@link addPeople}. */
export const PASSWORD = 'Passw0rd-of-1'

const BASE = 'DC=corp,DC=test'
const named = (name: string) => `CN=${name},CN=Users,${BASE}`

export interface Domain {
  readonly ca: string
  /** A client of the administrator. */
  administrator(): Promise<Client>
  stop(): Promise<void>
}

const BRIDGE = `
const net = require('node:net')
net.createServer((outer) => {
  const inner = net.connect(636, '127.0.0.1')
  outer.pipe(inner).pipe(outer)
  for (const socket of [outer, inner]) socket.on('error', () => { outer.destroy(); inner.destroy() })
}).listen(process.argv[1])
`

/** LDAPS of `dc1.corp.test` at the port. */
export async function samba(port: number): Promise<Domain> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-samba-'))
  const file = (name: string) => join(folder, name)
  execFileSync(
    'samba-tool',
    // biome-ignore format: arguments in pairs
    ['domain', 'provision', '--realm=CORP.TEST', '--domain=CORP', `--adminpass=${ADMIN_PASSWORD}`, '--server-role=dc',
      '--dns-backend=NONE', '--host-name=dc1', `--targetdir=${folder}`, '--option=bind interfaces only = yes',
      '--option=interfaces = lo'],
    { stdio: 'ignore' },
  )
  const script = `ip link set lo up; node -e "$BRIDGE" ${file('bridge')} & exec /usr/sbin/samba -F --no-process-group -s ${file('etc/smb.conf')}`
  const running: ChildProcess = spawn('unshare', ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script], {
    env: { ...process.env, BRIDGE },
    stdio: 'ignore',
  })
  const proxy: Server = createServer((outer) => {
    const inner = connect(file('bridge'))
    outer.pipe(inner).pipe(outer)
    for (const socket of [outer, inner])
      socket.on('error', () => {
        outer.destroy()
        inner.destroy()
      })
  })
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
  const ca = file('private/tls/ca.pem')
  for (const until = Date.now() + 180_000; !(existsSync(ca) && (await answers(file('bridge')))); ) {
    if (Date.now() > until || running.exitCode !== null) throw new Error('The domain did not start.')
    await pause(200)
  }
  return {
    ca: readFileSync(ca, 'utf8'),
    administrator: async () => {
      const client = new Client({
        url: `ldaps://127.0.0.1:${port}`,
        tlsOptions: { ca: readFileSync(ca), servername: 'dc1.corp.test' },
        timeout: 30_000,
        strictDN: false,
      })
      await client.bind('administrator@corp.test', ADMIN_PASSWORD)
      return client
    },
    stop: async () => {
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGKILL')
      await ended
      proxy.close()
      // The kernel ends the other processes of the namespace a moment later, and they may still write.
      for (let attempt = 0; existsSync(folder); attempt++) {
        try {
          rmSync(folder, { recursive: true, force: true })
        } catch (error) {
          if (attempt === 100) throw error
          await pause(200)
        }
      }
    },
  }
}

/** Whether the bridge leads to a server: it closes at once while there is none. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve(false)).once('close', () => resolve(false))
    setTimeout(() => {
      resolve(!socket.destroyed && socket.readyState === 'open')
      socket.destroy()
    }, 300)
  })
}

const replaced = (type: string, value: string) =>
  new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) })

/**
 * One person for each state of an account, named after it, and `ann`, of Engineers in All Staff in Company. Three wrong
 * passwords lock an account.
 */
export async function addPeople(domain: Domain): Promise<void> {
  const administrator = await domain.administrator()
  await administrator.modify(BASE, replaced('lockoutThreshold', '3'))
  for (const name of ['ann', 'disabled', 'expired', 'locked', 'changing']) {
    await administrator.add(named(name), [
      new Attribute({ type: 'objectClass', values: ['user'] }),
      new Attribute({ type: 'sAMAccountName', values: [name] }),
      new Attribute({ type: 'userPrincipalName', values: [`${name}@corp.test`] }),
      new Attribute({ type: 'mail', values: [`${name}@corp.test`] }),
      new Attribute({ type: 'userAccountControl', values: ['512'] }),
      new Attribute({ type: 'unicodePwd', values: [Buffer.from(`"${PASSWORD}"`, 'utf16le')] }),
    ])
  }
  await administrator.modify(named('disabled'), replaced('userAccountControl', '514'))
  await administrator.modify(named('expired'), replaced('accountExpires', '132000000000000000'))
  await administrator.modify(named('changing'), replaced('pwdLastSet', '0'))
  const groups = [
    ['Engineers', 'ann'],
    ['All Staff', 'Engineers'],
    ['Company', 'All Staff'],
  ] as const
  for (const [group, member] of groups)
    await administrator.add(named(group), { objectClass: 'group', sAMAccountName: group, member: named(member) })
  await administrator.unbind()
}

async function setControl(domain: Domain, person: string, value: string): Promise<void> {
  const administrator = await domain.administrator()
  await administrator.modify(named(person), replaced('userAccountControl', value))
  await administrator.unbind()
}

export const disable = (domain: Domain, person: string): Promise<void> => setControl(domain, person, '514')
export const enable = (domain: Domain, person: string): Promise<void> => setControl(domain, person, '512')

/** Real databases of the system's packages, in folders of their own, that log every statement. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Database {
  readonly port: number
  /** Everything the server logged of its requests. */
  log(): string
  stop(): Promise<void>
}

const asRoot = process.getuid?.() === 0
/** Database servers refuse to run as root. */
export const asUnprivilegedUser = (user: string) =>
  asRoot ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : []

export function folderOf(user: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-db-'))
  chmodSync(folder, 0o755)
  if (asRoot) execFileSync('chown', [`${user}:${user}`, folder])
  return folder
}

const PORTS_PER_WORKER = 500
let portsTried = 0

/**
 * A port that can be listened on, or the first of so many in a row. Suites that run at the same time have a range each,
 * `MERLON_TEST_PORTS`, below the ports that the system hands out: nothing takes a port between this look and its use.
 */
export async function freePort(inARow = 1): Promise<number> {
  const first = process.env['MERLON_TEST_PORTS']
  for (let tries = 0; tries < PORTS_PER_WORKER; tries++) {
    const port = first === undefined ? await listened(0) : nextOwnPort(Number(first), inARow)
    if (port !== undefined && (await areFree(port, inARow))) return port
  }
  throw new Error(`no port is free${first === undefined ? '' : ` from ${first} on`}`)
}

function nextOwnPort(first: number, inARow: number): number {
  const own = first + PORTS_PER_WORKER * ((Number(process.env['VITEST_POOL_ID'] ?? 1) - 1) % 2)
  if (portsTried + inARow > PORTS_PER_WORKER) portsTried = 0
  portsTried += inARow
  return own + portsTried - inARow
}

async function areFree(port: number, inARow: number): Promise<boolean> {
  for (let n = 0; n < inARow; n++) if ((await listened(port + n)) === undefined) return false
  return true
}

/** Undefined where the port is in use. */
async function listened(wanted: number): Promise<number | undefined> {
  const server = createServer().listen(wanted, '127.0.0.1')
  const isListening = await new Promise<boolean>((done) => {
    server.once('listening', () => done(true)).once('error', () => done(false))
  })
  if (!isListening) return undefined
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

function run(words: readonly string[], options: object = {}): void {
  execFileSync(words[0]!, words.slice(1), { stdio: 'pipe', ...options })
}

export async function until(ready: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return ready()
    } catch (error) {
      if (tries > 150) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await new Promise((done) => child.once('exit', done))
}

const start = (words: readonly string[]) => spawn(words[0]!, words.slice(1), { stdio: 'ignore' })

export const hasPostgres = existsSync('/usr/local/bin/initdb') || existsSync('/usr/lib/postgresql')
export const hasMariadb = existsSync('/usr/sbin/mariadbd')
export const hasRedis = existsSync('/usr/bin/redis-server')

/** Superuser `boss` with the password `boss-password`, by TCP with SCRAM. */
export async function postgres(sql: string): Promise<Database> {
  const folder = folderOf('postgres')
  const bin = execFileSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | tail -1']).toString().trim()
  const [data, log, port] = [join(folder, 'data'), join(folder, 'log'), await freePort()]
  const as = asUnprivilegedUser('postgres')
  run(['sh', '-c', `echo boss-password > ${folder}/pw && chmod 644 ${folder}/pw`])
  run([...as, `${bin}/initdb`, '-D', data, '-U', 'boss', '-A', 'scram-sha-256', `--pwfile=${folder}/pw`, '--no-sync'])
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    'log_statement=all',
    'fsync=off',
    'logging_collector=off',
  ]
  const child = start([
    'sh',
    '-c',
    `exec ${[...as, `${bin}/postgres`, '-D', data, ...settings.flatMap((each) => ['-c', each])].join(' ')} 2> ${log}`,
  ])
  const env = { ...process.env, PGPASSWORD: 'boss-password' }
  const psql = (text: string) =>
    run(
      [
        `${bin}/psql`,
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'boss',
        'postgres',
        '-v',
        'ON_ERROR_STOP=1',
        '-qc',
        text,
      ],
      { env },
    )
  await until(() => psql('SELECT 1'))
  psql(sql)
  return { port, log: () => readFileSync(log, 'utf8'), stop: () => ended(child) }
}

/** Superuser `boss`@`%` with the password `boss-password`. */
export async function mariadb(sql: string): Promise<Database> {
  const folder = folderOf('mysql')
  const [data, log, socket, port] = [
    join(folder, 'data'),
    join(folder, 'general.log'),
    join(folder, 'sock'),
    await freePort(),
  ]
  run([
    'mariadb-install-db',
    '--no-defaults',
    `--datadir=${data}`,
    ...(asRoot ? ['--user=mysql'] : []),
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ])
  const child = start([
    '/usr/sbin/mariadbd',
    '--no-defaults',
    ...(asRoot ? ['--user=mysql'] : []),
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--general-log=1',
    `--general-log-file=${log}`,
  ])
  const mysql = (text: string) => run(['mariadb', '--no-defaults', `--socket=${socket}`, '-uroot', '-e', text])
  await until(() => mysql('SELECT 1'))
  mysql(
    `CREATE USER 'boss'@'%' IDENTIFIED BY 'boss-password'; GRANT ALL ON *.* TO 'boss'@'%' WITH GRANT OPTION; ${sql}`,
  )
  return { port, log: () => readFileSync(log, 'utf8'), stop: () => ended(child) }
}

/** User `boss` with the password `boss-password`. Its commands are observed by MONITOR. */
export async function redis(users: readonly string[]): Promise<Database> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'merlon-redis-'))
  const config = [`port ${port}`, 'bind 127.0.0.1', 'save ""', 'appendonly no', `dir ${folder}`]
  const known = ['user default off', 'user boss on >boss-password ~* &* +@all', ...users.map((user) => `user ${user}`)]
  writeFileSync(join(folder, 'redis.conf'), [...config, ...known, ''].join('\n'))
  const child = start(['redis-server', join(folder, 'redis.conf')])
  const cli = ['redis-cli', '-p', String(port), '--user', 'boss', '--pass', 'boss-password', '--no-auth-warning']
  await until(() => run([...cli, 'PING']))
  let seen = ''
  const monitor = spawn(cli[0]!, [...cli.slice(1), 'MONITOR'], { stdio: ['ignore', 'pipe', 'ignore'] })
  monitor.stdout.on('data', (chunk) => (seen += chunk))
  return {
    port,
    log: () => seen,
    stop: async () => {
      monitor.kill()
      await ended(child)
    },
  }
}

/** A PostgreSQL of its own, durable as in production, that can be killed, stopped, slowed and filled up. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asUnprivilegedUser, folderOf, freePort, until } from '../rotation/databases.ts'

const USER = 'boss'
const PASSWORD = 'boss-password'
const STANDBY = 'standby'
/** PostgreSQL takes 40 MB, 100 rounds of faults several hundred. Only what is used takes memory. */
const DISK_MB = 4_096
/** What is left when the disk is full: less than one segment of the log. */
const LEFT_KB = 256

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '100',
  shared_buffers: '32MB',
  min_wal_size: '2MB',
  max_wal_size: '16MB',
  logging_collector: 'off',
  // A client whose network is gone does not hold its locks for hours.
  tcp_user_timeout: '20s',
}

export class Postgres {
  readonly port: number
  readonly #folder: string
  readonly #bin = execFileSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | tail -1']).toString().trim()
  /** Root may mount; then the data is on a file system of its own, which can be full. */
  readonly ownDisk: boolean
  /** Whether fsync can be slowed, which takes a C compiler. */
  readonly slowable: boolean
  #server: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
    this.#folder = folderOf('postgres')
    const disk = join(this.#folder, 'disk')
    mkdirSync(disk)
    this.ownDisk = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk]).status === 0
    if (asUnprivilegedUser('postgres').length > 0) execFileSync('chown', ['postgres:postgres', disk])
    const source = fileURLToPath(new URL('./slow-fsync.c', import.meta.url))
    this.slowable = spawnSync('gcc', ['-shared', '-fPIC', '-O2', '-o', this.#library, source]).status === 0
  }

  static async make(): Promise<Postgres> {
    const made = new Postgres(await freePort())
    const passwords = join(made.#folder, 'passwords')
    writeFileSync(passwords, PASSWORD, { mode: 0o644 })
    const how = ['-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwords}`, '--wal-segsize=1', '--no-sync']
    made.#run('initdb', '-D', made.#data, ...how)
    await made.start()
    return made
  }

  /** A streaming standby of it, without which no commit of the primary is acknowledged from now on. */
  async synchronousStandby(): Promise<Postgres> {
    const standby = new Postgres(await freePort())
    const from = `host=127.0.0.1 port=${this.port} user=${USER} password=${PASSWORD} application_name=${STANDBY}`
    standby.#run('pg_basebackup', '-d', from, '-D', standby.#data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync')
    await standby.start()
    this.sql(`ALTER SYSTEM SET synchronous_standby_names = '${STANDBY}'`)
    this.sql('SELECT pg_reload_conf()')
    await until(() => {
      const state = this.sql(`SELECT sync_state FROM pg_stat_replication WHERE application_name = '${STANDBY}'`)
      if (state !== 'sync') throw new Error(`the standby is '${state}', not synchronous`)
    })
    return standby
  }

  /** Returns once it takes writes. */
  promote(): void {
    if (this.sql('SELECT pg_promote()') !== 't') throw new Error('the standby was not promoted')
  }

  get #data(): string {
    return join(this.#folder, 'disk', 'data')
  }
  get #library(): string {
    return join(this.#folder, 'slow-fsync.so')
  }
  get #delay(): string {
    return join(this.#folder, 'fsync-ms')
  }

  /** By another port when there is a proxy in between. */
  url(database: string, port = this.port): string {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`
  }

  log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
  }

  get running(): boolean {
    return this.#server !== undefined && this.#server.exitCode === null && this.#server.signalCode === null
  }

  /** Returns when it answers: crash recovery is over. */
  async start(): Promise<void> {
    if (this.running) return
    const settings = { ...SETTINGS, port: String(this.port), unix_socket_directories: this.#folder }
    const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const slow = this.slowable ? ['env', `LD_PRELOAD=${this.#library}`, `SLOW_FSYNC_FILE=${this.#delay}`] : []
    const command = [
      ...asUnprivilegedUser('postgres'),
      ...slow,
      join(this.#bin, 'postgres'),
      '-D',
      this.#data,
      ...words,
    ]
    this.#server = spawn('sh', ['-c', `exec "$@" 2>> ${join(this.#folder, 'log')}`, 'sh', ...command], {
      stdio: 'ignore',
    })
    await until(() => this.sql('SELECT 1'))
  }

  sql(text: string, database = 'postgres'): string {
    const words = ['-h', '127.0.0.1', '-p', String(this.port), '-U', USER, '-v', 'ON_ERROR_STOP=1', '-Atqc', text]
    const env = { ...process.env, PGPASSWORD: PASSWORD, PGCONNECT_TIMEOUT: '5' }
    return execFileSync(join(this.#bin, 'psql'), [...words, database], { env, stdio: 'pipe' })
      .toString()
      .trim()
  }

  /** The postmaster, and everything it started. */
  processes(): readonly number[] {
    if (!this.running) return []
    const postmaster = this.#server!.pid!
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster)
    return [postmaster, ...children.map(Number)]
  }

  /** To every process of it at once, as a machine that dies; SIGSTOP and SIGCONT as one that hangs. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const processes = this.processes()
    for (const id of processes) tell(id, signal)
    if (signal === 'SIGKILL') await until(() => processes.forEach(mustBeGone))
  }

  /** The processes of connections: each serves one. */
  backends(): readonly number[] {
    return this.sql(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
      .split('\n')
      .filter(Boolean)
      .map(Number)
  }

  slowFsync(milliseconds: number): void {
    if (!this.slowable) throw new Error('no C compiler: fsync cannot be slowed')
    writeFileSync(this.#delay, String(milliseconds), { mode: 0o644 })
  }

  /** Leaves no space to write in, or all of it again. */
  fill(full: boolean): void {
    if (!this.ownDisk) throw new Error('the data is not on a disk of its own')
    const disk = join(this.#folder, 'disk')
    const used = Number(execFileSync('df', ['--output=used', '-k', disk]).toString().split('\n')[1])
    const size = full ? `${used + LEFT_KB}k` : `${DISK_MB}m`
    execFileSync('mount', ['-o', `remount,size=${size}`, disk])
  }

  async stop(): Promise<void> {
    await this.signal('SIGCONT')
    await this.signal('SIGKILL')
    if (this.ownDisk) spawnSync('umount', ['-l', join(this.#folder, 'disk')])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(program: string, ...words: readonly string[]): void {
    const [first, ...rest] = [...asUnprivilegedUser('postgres'), join(this.#bin, program), ...words]
    execFileSync(first!, rest, { stdio: 'pipe' })
  }
}

function parentOf(id: string): number | undefined {
  try {
    // The name in parentheses may hold blanks; what follows it does not.
    return Number(readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1])
  } catch {
    return undefined
  }
}

function tell(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal)
  } catch {
    // It is gone already.
  }
}

function mustBeGone(id: number): void {
  const state = parentOf(String(id)) === undefined ? 'gone' : readFileSync(`/proc/${id}/stat`, 'utf8')
  if (state !== 'gone' && !/\) Z /.test(state)) throw new Error(`process ${id} is still there`)
}

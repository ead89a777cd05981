/**
 * The sandbox of a process function: its arguments for bubblewrap. Its own processes, users, network and host name; the
 * system's programs to read, a `/tmp` to write, and nothing of the server's data.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import type { Runtime } from './runtimes.ts'

export interface Cell {
  readonly runtime: Runtime
  /** The unpacked package. */
  readonly code: string
  /** Sockets and small files of this one invocation. */
  readonly io: string
  /** The folder of our relay and bootstraps. */
  readonly scripts: string
  readonly storageMb: number
  /** Listens on ports below 1024 inside. */
  readonly lowPorts: boolean
  readonly cpuSeconds: number
  /** The file descriptor of the filter of system calls; undefined where there is none. */
  readonly filter: number | undefined
}

export const INSIDE = { task: '/var/task', scripts: '/var/runtime', io: '/run/merlon' } as const

const SHARED_MEMORY_BYTES = 16 << 20
const OPEN_FILES_MAX = 1024
const PROCESSES_MAX = 256
/** When memory runs out, the kernel ends functions before anything else. */
const OOM_SCORE = 1000

const ISOLATION = [
  '--unshare-all',
  '--unshare-user',
  '--die-with-parent',
  '--new-session',
  '--hostname',
  'lambda',
] as const

/** Of util-linux, as prlimit is. */
const CHOOM = '/usr/bin/choom'

/** `/bin` and its like, as they are on this machine: links into `/usr`, or folders. */
function system(): readonly string[] {
  const folders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].filter((path) => existsSync(path))
  return [
    ...['--ro-bind', '/usr', '/usr'],
    ...folders.flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    ),
  ]
}

/** Of `/etc` only what programs need to begin and to verify certificates. */
const ETC = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
]

export function sandboxed({
  runtime,
  code,
  io,
  scripts,
  storageMb,
  lowPorts,
  cpuSeconds,
  filter,
}: Cell): readonly string[] {
  const needs = [...new Set([...runtime.needs, ...relayNeeds])]
  return [
    ...(existsSync(CHOOM) ? [CHOOM, '-n', String(OOM_SCORE), '--'] : []),
    ...['prlimit', '--core=0', `--nofile=${OPEN_FILES_MAX}`, `--nproc=${PROCESSES_MAX}`],
    ...[`--fsize=${storageMb << 20}`, `--cpu=${cpuSeconds}`, '--'],
    ...['bwrap', ...ISOLATION],
    ...['--cap-drop', 'ALL'],
    ...(filter === undefined ? [] : ['--seccomp', String(filter)]),
    // A low port takes a right over the network's own namespace: the relay has it, the function has one more wall.
    ...(lowPorts ? RELAY_RIGHTS : ['--uid', NOBODY, '--gid', NOBODY, '--disable-userns']),
    ...system(),
    ...ETC.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['hosts', 'passwd', 'nsswitch.conf'].flatMap((name) => ['--ro-bind', `${io}/${name}`, `/etc/${name}`]),
    ...needs.flatMap((path) => ['--ro-bind', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--size', String(SHARED_MEMORY_BYTES), '--tmpfs', '/dev/shm'],
    ...['--remount-ro', '/dev', '--size', String(storageMb << 20), '--tmpfs', '/tmp'],
    ...['--ro-bind', code, INSIDE.task, '--ro-bind', scripts, INSIDE.scripts, '--ro-bind', io, INSIDE.io],
    ...['--remount-ro', '/', '--chdir', INSIDE.task],
    ...[process.execPath, `${INSIDE.scripts}/relay.mjs`],
  ]
}

const relayNeeds = process.execPath.startsWith('/usr/') ? [] : [process.execPath]

/**
 * The function itself: an unprivileged user, with as much writable memory as configured, plus what its runtime takes to
 * start.
 */
export const confined = ({ memoryMb, lowPorts }: Confined, command: readonly string[]): readonly string[] => [
  ...(lowPorts ? ['/usr/bin/unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'] : []),
  ...['/usr/bin/prlimit', `--data=${(memoryMb + RUNTIME_MB) << 20}`, '--'],
  ...command,
]

export interface Confined {
  readonly memoryMb: number
  readonly lowPorts: boolean
}

const RUNTIME_MB = 128
const NOBODY = '65534'
/** To bind low ports, and to change the user of what it runs. */
const RELAY_RIGHTS = ['--uid', '0', '--gid', '0', '--cap-add', 'CAP_NET_BIND_SERVICE', '--cap-add', 'CAP_SETFCAP']

/** Why no sandbox can be made here; undefined when it can. */
export function sandboxRefusal(): string | undefined {
  if (works) return undefined
  const install = 'install bubblewrap and util-linux (apt-get install bubblewrap util-linux)'
  if (!existsSync('/usr/bin/prlimit')) return `Process functions need a sandbox: ${install}.`
  const words = [...ISOLATION, '--disable-userns', ...system(), '--proc', '/proc', '--dev', '/dev', 'true']
  const { status, error, stderr } = spawnSync('bwrap', words, { encoding: 'utf8', timeout: 10_000 })
  if (error) return `Process functions need a sandbox: ${install}.`
  if (status === 0) works = true
  else return `Process functions need a sandbox, and bubblewrap cannot make one here: ${stderr.trim()}`
  return undefined
}
let works = false

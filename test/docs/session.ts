/** One page in a shell of its own: a temporary directory, a home directory, and `merlon` on the path. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { merlonScript, temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { repository } from './pages.ts'

/** Directories of the machine that pages mention: in a test they are below the temporary directory. */
const MACHINE = /(?<![\w.$}])\/(var\/lib|var\/log|etc\/merlon|run\/keys|mnt\/backup)\b/g

/** Nodes of a page have ports in a row. */
const NODES_MAX = 4

export interface Ran {
  readonly status: number
  readonly output: string
}

export class Session {
  readonly folder = temporaryFolder()
  readonly port: number
  readonly #shell: ChildProcess
  readonly #lines: Interface
  #steps = 0

  private constructor(port: number) {
    this.port = port
    const bin = join(this.folder, 'bin')
    for (const each of [bin, this.#state, join(this.folder, 'work'), join(this.folder, 'home')]) mkdirSync(each)
    for (const each of ['var/lib', 'var/log/merlon', 'etc/merlon', 'run/keys', 'mnt/backup'])
      mkdirSync(join(this.folder, each), { recursive: true })
    const shim = fileURLToPath(new URL('./shim.mjs', import.meta.url))
    program(join(bin, 'merlon'), `exec '${process.execPath}' '${shim}' "$@"`)
    program(join(bin, 'npx'), `[ "$1" = merlon ] || exit 64; shift; exec merlon "$@"`)
    program(join(bin, 'npm'), npm(shim))
    const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|MERLON|PG)/.test(name) && name !== 'npm_config')
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd: join(this.folder, 'work'),
      env: {
        ...Object.fromEntries(kept),
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(this.folder, 'home'),
        AWS_CONFIG_FILE: join(this.folder, 'home', 'config'),
        AWS_SHARED_CREDENTIALS_FILE: join(this.folder, 'home', 'credentials'),
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_PAGER: '',
        MERLON_DOCS_SCRIPT: merlonScript,
        MERLON_DOCS_STATE: this.#state,
        MERLON_DOCS_PORT: String(port),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#shell.stdin!.on('error', () => undefined)
    this.#lines = createInterface({ input: this.#shell.stdout! })
  }

  static async open(): Promise<Session> {
    return new Session(await freePort(NODES_MAX))
  }

  get #state(): string {
    return join(this.folder, 'state')
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.folder, 'work', name), content)
  }

  /** What the page leaves to the reader: the account and keys that the server has printed, and where the machine is. */
  #filledIn(text: string): string {
    const value = (name: string, otherwise: string) => {
      const file = join(this.#state, name)
      return existsSync(file) ? readFileSync(file, 'utf8') : otherwise
    }
    return text
      .replace(/AKIA…|(?<=AWS_ACCESS_KEY_ID=)…/g, () => value('access-key-id', '…'))
      .replace(/(?<=secret_access_key )…|(?<=AWS_SECRET_ACCESS_KEY=)…/g, () => value('secret-access-key', '…'))
      .replace(/\bACCOUNT\b/g, () => value('account', 'ACCOUNT'))
      .replaceAll('4566', String(this.port))
      .replace(MACHINE, (path) => join(this.folder, path))
  }

  /** In the one shell of the page, so that variables and functions stay; in a shell below it when it is to fail. */
  async run(text: string, fails = false): Promise<Ran> {
    const n = ++this.#steps
    const [script, out] = [join(this.#state, `step-${n}.sh`), join(this.#state, `step-${n}.out`)]
    writeFileSync(script, `${this.#filledIn(text)}\n`)
    const line = Promise.race([once(this.#lines, 'line'), once(this.#shell, 'exit')])
    const source = `. '${script}' >'${out}' 2>&1 </dev/null`
    this.#shell.stdin!.write(
      fails ? `(set -eo pipefail; ${source}); echo ended $?\n` : `set -eo pipefail; ${source}; set +e; echo ended 0\n`,
    )
    // A command that fails ends the shell, with its status.
    const [ended] = (await line) as [string | number | null]
    return { status: Number(String(ended).replace('ended ', '')), output: readFileSync(out, 'utf8') }
  }

  async close(): Promise<void> {
    const pids = join(this.#state, 'pids')
    const servers = existsSync(pids) ? readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number) : []
    for (const pid of servers) end(pid)
    this.#shell.kill('SIGKILL')
    this.#lines.close()
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function program(file: string, text: string): void {
  writeFileSync(file, `#!/bin/bash\n${text}\n`)
  chmodSync(file, 0o755)
}

/** In the clone where the tests run: packages are installed, and the build is the one under test. */
const npm = (shim: string) => `
[ "$1" = ci ] && exit 0
while [ "$1" = run ] || [ "$1" = --silent ]; do shift; done
command=$1; shift
[ "$1" = -- ] && shift
case $command in
  start) exec '${process.execPath}' '${shim}' start "$@" ;;
  demo) cd '${repository}' && exec '${process.execPath}' '${merlonScript}' demo "$@" ;;
  *) echo "npm $command: not in a test of the documentation" >&2; exit 64 ;;
esac`

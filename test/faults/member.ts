/**
 * One node: a real process with a data directory and a port of its own, which can be killed, stopped, and given a false
 * time.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MadeAccount, type Running, startAlone } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import type { Link } from './link.ts'

const START_MS_MAX = 60_000

export interface MemberOptions {
  readonly name: string
  readonly folder: string
  /** Of `merlon start`, beside the data directory and the port. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The wire to the database, where there is one. */
  readonly link?: Link
}

/** The library that fakes the time, where Debian's `faketime` is installed. */
export const faketime: string | undefined = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((machine) => `/usr/lib/${machine}/faketime`)
  .flatMap((folder) => {
    try {
      return readdirSync(folder).map((file) => join(folder, file))
    } catch {
      return []
    }
  })
  .find((file) => file.includes('libfaketimeMT'))

export class Member {
  readonly name: string
  readonly link: Link | undefined
  readonly #options: MemberOptions
  readonly #port: number
  #running: Running | undefined
  #logs = ''

  private constructor(options: MemberOptions, port: number) {
    this.name = options.name
    this.link = options.link
    this.#options = options
    this.#port = port
    mkdirSync(options.folder, { recursive: true })
    this.clock(0)
  }

  static async of(options: MemberOptions): Promise<Member> {
    return new Member(options, await freePort())
  }

  /** The same after every start. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }
  get data(): string {
    return join(this.#options.folder, 'data')
  }
  /** Opens the root key, when this node made the installation. */
  get keyFile(): string {
    return join(this.data, 'root.key')
  }
  get running(): boolean {
    const child = this.#running?.process
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }
  /** Everything it wrote to standard error, over all its lives. */
  get log(): string {
    return this.#logs + (this.#running?.log() ?? '')
  }

  async start(): Promise<readonly MadeAccount[]> {
    if (this.running) return []
    this.#logs = this.log
    this.#running = undefined
    const { words, environment } = this.#options
    const lie = faketime && {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_CACHE_DURATION: '1',
      // Timers go on as they were: what jumps is the date.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    }
    const own = ['--data', this.data, '--port', String(this.#port)]
    this.#running = await startAlone([...own, ...words], { ...environment, ...lie }, START_MS_MAX)
    return this.#running.accounts
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return this.running ? this.#running!.stop(signal) : null
  }

  /** SIGSTOP, SIGCONT: the process is there and does nothing. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#running!.process.kill(signal)
  }

  /** Its date is off by as much, within a second from now. */
  clock(seconds: number): void {
    writeFileSync(this.#clockFile, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`)
  }

  get #clockFile(): string {
    return join(this.#options.folder, 'clock')
  }
}

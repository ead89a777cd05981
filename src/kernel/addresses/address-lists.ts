/**
 * Lists of addresses that the operator supplies: a directory (`MERLON_ADDRESS_LISTS`) of text files, one network or address a line.
 * Their names say what they are of: `ip-reputation.txt`, `anonymous.txt` and so on; `verified-bots.txt` has the name of a bot
 * behind each network. A file that changes is read again; one that is not valid then is reported, and the one before counts.
 *
 * @example
 * # verified-bots.txt
 * 192.0.2.0/24 googlebot
 */
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ADDRESS_LISTS, type AddressFacts, type AddressListName } from '../../engines/waf/address-facts.ts'
import { addressRange, IpSet } from '../../engines/waf/ip-set.ts'
import { atOnce, betweenTurns } from '../state/between-turns.ts'

const BOTS = 'verified-bots'
type FileName = AddressListName | typeof BOTS
const FILES: readonly FileName[] = [...ADDRESS_LISTS, BOTS]

/** Of a file; a million networks take some 100 MB. */
const LINES_MAX = 1_000_000
const LINES_A_STEP = 500
const LOOK_EVERY_MS = 60_000

/** Networks by what is written behind them: nothing, or the name of a bot. */
type Networks = ReadonlyMap<string, IpSet>

interface ReadList {
  readonly changedAt: number
  readonly networks: Networks
}

type Facts = Pick<AddressFacts, 'hasList' | 'isListed' | 'isBot'>

export class AddressLists implements Facts {
  readonly #directory: string
  readonly #onError: (file: string, error: Error) => void
  readonly #lists = new Map<FileName, ReadList>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  /** Throws with the name of the file and the line for a file that is not valid. Files that are absent have no list. */
  constructor(directory: string, onError: (file: string, error: Error) => void) {
    this.#directory = directory
    this.#onError = onError
    if (!statSync(directory).isDirectory()) throw new Error(`MERLON_ADDRESS_LISTS: ${directory} is not a directory.`)
    for (const name of FILES) {
      const file = this.#fileOf(name)
      const changedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs
      if (changedAt === undefined) continue
      try {
        this.#lists.set(name, { changedAt, networks: atOnce(networksOf(readFileSync(file, 'utf8'), name === BOTS)) })
      } catch (error) {
        throw new Error(`MERLON_ADDRESS_LISTS: ${file}: ${(error as Error).message}`)
      }
    }
  }

  hasList(list: AddressListName): boolean {
    return this.#lists.has(list)
  }

  isListed(list: AddressListName, address: string): boolean {
    return this.#lists.get(list)?.networks.get('')?.has(address) ?? false
  }

  isBot(address: string, bot: string): boolean {
    return this.#lists.get(BOTS)?.networks.get(bot)?.has(address) ?? false
  }

  /** From now on, files that change are read again. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.refresh()
    }, LOOK_EVERY_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** Reads what has changed, beside other work. */
  async refresh(): Promise<void> {
    for (const name of FILES) {
      const file = this.#fileOf(name)
      try {
        const changedAt = (await stat(file)).mtimeMs
        if (this.#lists.get(name)?.changedAt === changedAt) continue
        const networks = await betweenTurns(networksOf(await readFile(file, 'utf8'), name === BOTS))
        this.#lists.set(name, { changedAt, networks })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#lists.delete(name)
        else this.#onError(file, error as Error)
      }
    }
  }

  #fileOf(name: FileName): string {
    return join(this.#directory, `${name}.txt`)
  }
}

function* networksOf(text: string, isNamed: boolean): Generator<void, Networks> {
  const networks = new Map<string, IpSet>()
  const lines = text.split('\n')
  if (lines.length > LINES_MAX) throw new Error(`more than ${LINES_MAX} lines`)
  for (const [index, line] of lines.entries()) {
    if (index % LINES_A_STEP === 0) yield
    const [network = '', name = ''] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (network === '') continue
    const bits = network.includes(':') ? 128 : 32
    const range = addressRange(network.includes('/') ? network : `${network}/${bits}`)
    if (!range || (isNamed && !/^[\w-]{1,60}$/.test(name)))
      throw new Error(`line ${index + 1}: expected ${isNamed ? 'NETWORK BOT' : 'NETWORK'}`)
    const group = isNamed ? name : ''
    const known = networks.get(group) ?? new IpSet()
    networks.set(group, known)
    known.add(range)
  }
  return networks
}

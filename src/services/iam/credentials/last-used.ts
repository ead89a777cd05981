/** When keys and roles were last used: gathered in memory, written twice a minute, next to their rows. */
import type { Used } from '../../../kernel/ports/ports.ts'
import type { Clock } from '../../../kernel/state/clock.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key, type Store } from '../../../store/store.ts'

const FLUSH_MS = 30_000
/** Written together: a hundred thousand at once would keep calls waiting. */
const PORTION = 500

export interface Use {
  readonly timeMs: number
  readonly region: string
  readonly service: string
}

interface Pending {
  readonly use: Use
  readonly at: () => Key
}

const keyUseKey = (accessKeyId: string): Key => key('iam', 'access-key-use', accessKeyId)
const roleUseKey = (account: string, roleId: string): Key => key('iam', 'role-use', account, roleId)

export function accessKeyUse(reader: Reader, accessKeyId: string): Promise<Use | undefined> {
  return reader.get<Use>(keyUseKey(accessKeyId))
}

export function roleUse(reader: Reader, account: string, roleId: string): Promise<Use | undefined> {
  return reader.get<Use>(roleUseKey(account, roleId))
}

export class Uses {
  readonly #store: Store
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout
  #pending = new Map<string, Pending>()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    // A failed write is tried again with the next; the store's own failures end the process elsewhere.
    this.#timer = setInterval(() => void this.flush().catch(() => undefined), FLUSH_MS)
    this.#timer.unref()
  }

  note({ accessKeyId, account, subject, service, region, timeMs }: Used): void {
    const use = { timeMs: Math.min(timeMs, this.#clock.now()), region, service }
    // Every call comes by here: where it is written is found out at the flush.
    if (subject.kind === 'role') this.#pending.set(subject.id, { use, at: () => roleUseKey(account, subject.id) })
    else if (accessKeyId.startsWith('AKIA')) {
      this.#pending.set(accessKeyId, { use, at: () => keyUseKey(accessKeyId) })
    }
  }

  async flush(): Promise<void> {
    const uses = [...this.#pending]
    this.#pending = new Map()
    for (let from = 0; from < uses.length; from += PORTION) {
      try {
        await this.#store.run(async (unit) => {
          for (const [, { use, at }] of uses.slice(from, from + PORTION)) unit.put(at(), use)
        })
      } catch (error) {
        this.#pending = new Map([...uses.slice(from), ...this.#pending])
        throw error
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }
}

/**
 * Services that are opened when they are first needed: most installations and nearly all tests use a few, and reading the code of all
 * takes longer than the rest of a start.
 */
import type { Service } from '../../kernel/service/service.ts'
import type { Store } from '../../store/store.ts'

/** First segments of the keys of documents that the kernel writes itself. */
const KERNEL = ['kernel', 'vault']

/**
 * Whether the store holds documents of other services than these: they may have jobs, followers and web ACLs, and have to be open from
 * the start. Reads one document for each first segment of a key.
 */
export async function holdsOthers({ reader }: Pick<Store, 'reader'>, services: readonly Service[]): Promise<boolean> {
  const known = new Set([...KERNEL, ...services.map(({ api }) => api.id)])
  let after: string | undefined
  for (;;) {
    const [entry] = await reader.range('', { limit: 1, after })
    if (!entry) return false
    const segment = entry.key.slice(0, entry.key.indexOf('/'))
    if (!known.has(segment)) return true
    // The character behind the separator: all keys with this segment sort in front of it.
    after = `${segment}0`
  }
}

/** What is opened once, when it is first needed. */
export class OpenedLater {
  readonly #open: () => Promise<void>
  #opening: Promise<void> | undefined
  #isOpen = false

  constructor(open: () => Promise<void>) {
    this.#open = open
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Opens it; undefined once it is open. Where that fails, it fails for everybody who waits. */
  opened(): Promise<void> | undefined {
    if (this.#isOpen) return undefined
    this.#opening ??= this.#open().then(() => {
      this.#isOpen = true
    })
    return this.#opening
  }

  /** Waits for what has begun; nothing begins any more. */
  async close(): Promise<void> {
    this.#opening ??= Promise.reject(new Error('It is closed.'))
    await this.#opening.catch(() => undefined)
  }
}

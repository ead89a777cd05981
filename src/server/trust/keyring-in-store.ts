/**
 * The keyring of an installation whose nodes share one database: a document in it, changed only by a node that has seen
 * the last change. Like the keyring file, it never goes into a backup (docs/decisions/0006).
 */
import { type Key, key, type Store } from '../../store/store.ts'
import { KeyringMovedError, type KeyringPlace, parseKeyring, type ReadKeyring } from '../../vault/keyring-file.ts'

export const KEYRING = key('vault', 'keyring')
/** What a store leaves out of every backup it makes. */
export const WITHHELD: readonly Key[] = [KEYRING]

/** The text is that of a keyring's file. */
export interface KeyringRow {
  readonly text: string
}

const NAME = "the store's keyring"

/** Throws `MERLON_KEYRING_DAMAGED`. */
export const readRow = ({ text }: KeyringRow): ReadKeyring => parseKeyring(NAME, text)

export const keyringInStore = (store: Pick<Store, 'run' | 'sync'>): KeyringPlace => ({
  name: NAME,
  read: async () => {
    await store.sync()
    // By a unit: what it reads is durable when it resolves.
    const row = await store.run((unit) => unit.get<KeyringRow>(KEYRING))
    return row && readRow(row)
  },
  replace: (text, { expected }) =>
    store.run(async (unit) => {
      const row = await unit.get<KeyringRow>(KEYRING)
      const generation = row && readRow(row).body.generation
      if (generation !== expected) throw new KeyringMovedError(`${NAME} was changed by another node`)
      unit.put(KEYRING, { text } satisfies KeyringRow)
    }),
})

/**
 * Which documents belong to which account, so that a development server can reset one of them. A document belongs to the account
 * that its key names, else to the account whose call wrote it first; what jobs write belongs to the account of what they change.
 * Organizations bind several accounts and are reset only as a whole.
 */

import { type Key, type Store, type Unit, under } from '../../store/store.ts'
import type { Cloud } from '../compose/cloud.ts'
import { invalidSeed } from '../seed/seed.ts'

const ACCOUNT_SEGMENT = /(?:^|\/)(\d{12})(?:\/|$)/
const SHARED = under('organizations')

export interface OwnedStore {
  readonly store: Store
  /** From here on {@link reset} restores what is there now. */
  keep(): void
  /** Makes the documents of an account as they were kept. */
  reset(account: string): Promise<void>
}

export interface OneAccountAtATime {
  readonly cloud: Cloud
  /** Throws an `InstallationError` for an account that cannot be reset by itself. */
  resetAccount(account: string): Promise<void>
}

/** Keeps what is there now. */
export async function oneAccountAtATime(cloud: Cloud, owned: OwnedStore): Promise<OneAccountAtATime> {
  const { organizations } = cloud.ports
  const managementOf = async (account: string) =>
    (await organizations.membership(cloud.store.reader, account))?.management
  const before = new Map<string, string | undefined>()
  for (const { id } of await cloud.accounts()) before.set(id, await managementOf(id))
  owned.keep()
  return {
    cloud,
    resetAccount: async (account) => {
      if (!before.has(account))
        throw invalidSeed(`Account ${account} was not there at the start. Reset everything, or name another account.`)
      if (before.get(account) !== (await managementOf(account)))
        throw invalidSeed(`Account ${account} has joined or left an organization since the start. Reset everything.`)
      await owned.reset(account)
    },
  }
}

interface Written {
  readonly documents: Map<Key, object | undefined>
  /** Of the first event in the transaction. */
  account: string | undefined
}

export function ownedStore(inner: Store): OwnedStore {
  const owners = new Map<Key, string>()
  const current = new Map<Key, object | undefined>()
  let kept: ReadonlyMap<Key, object | undefined> = new Map()

  const note = ({ documents, account }: Written): void => {
    const known = new Set([...documents.keys()].flatMap((key) => owners.get(key) ?? []))
    const [only] = known.size === 1 ? known : []
    for (const [key, document] of documents) {
      if (key.startsWith(SHARED)) continue
      const owner = owners.get(key) ?? ACCOUNT_SEGMENT.exec(key)?.[1] ?? account ?? only
      if (owner === undefined) continue
      owners.set(key, owner)
      current.set(key, document)
    }
  }
  const run: Store['run'] = async (body) => {
    let written: Written = { documents: new Map(), account: undefined }
    const output = await inner.run((unit) => {
      // A body may run more than once: only the last time counts.
      written = { documents: new Map(), account: undefined }
      return body(watched(unit, written))
    })
    note(written)
    return output
  }
  return {
    store: new Proxy(inner, {
      get: (target, name) => {
        if (name === 'run') return run
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
    keep: () => {
      kept = new Map(current)
    },
    reset: async (account) => {
      const own = [...owners].filter(([, owner]) => owner === account).map(([key]) => key)
      await inner.run((unit) => {
        for (const key of own) {
          const document = kept.get(key)
          if (document === undefined) unit.delete(key)
          else unit.put(key, document)
        }
      })
      for (const key of own) current.set(key, kept.get(key))
    },
  }
}

function watched(unit: Unit, written: Written): Unit {
  return {
    get: (key) => unit.get(key),
    range: (prefix, options) => unit.range(prefix, options),
    put: (key, document) => {
      written.documents.set(key, document)
      unit.put(key, document)
    },
    delete: (key) => {
      written.documents.set(key, undefined)
      unit.delete(key)
    },
    append: (record) => {
      written.account ??= record.account
      unit.append(record)
    },
  }
}

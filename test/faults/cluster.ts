/** Any number of nodes on one store, all processes real: PostgreSQL behind a wire each, or a folder when there is one node. */
import { join } from 'node:path'
import { type MadeAccount, temporaryFolder } from '../process.ts'
import { Link } from './link.ts'
import { Member } from './member.ts'
import { Postgres } from './postgres.ts'
import { RoundRobin } from './round-robin.ts'

export const STORES = ['postgres', 'sqlite'] as const
export type StoreKind = (typeof STORES)[number]

export interface ClusterOptions {
  readonly store: StoreKind
  /** One, on SQLite. */
  readonly nodes: number
  /** More options of `merlon start`. */
  readonly words?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** A PostgreSQL that others use, too; it is not stopped with this cluster. */
  readonly postgres?: Postgres
  /** The nodes' URL of that database, where they connect to PostgreSQL themselves instead of through a wire each. */
  readonly url?: (database: string) => string
}

export class Cluster {
  readonly store: StoreKind
  readonly members: readonly Member[]
  readonly account: MadeAccount
  readonly postgres: Postgres | undefined
  readonly #owned: readonly { close(): unknown }[]

  private constructor(
    store: StoreKind,
    members: readonly Member[],
    account: MadeAccount,
    postgres: Postgres | undefined,
    owned: readonly { close(): unknown }[],
  ) {
    this.store = store
    this.members = members
    this.account = account
    this.postgres = postgres
    this.#owned = owned
  }

  static async start({ store, nodes, words = [], environment = {}, ...given }: ClusterOptions): Promise<Cluster> {
    if (store === 'sqlite' && nodes !== 1) throw new Error('SQLite has one node.')
    const postgres = store === 'postgres' ? (given.postgres ?? (await Postgres.make())) : undefined
    const owned: { close(): unknown }[] = postgres && !given.postgres ? [{ close: () => postgres.stop() }] : []
    const members: Member[] = []
    let account: MadeAccount | undefined
    try {
      const folder = temporaryFolder()
      const database = `merlon_${process.pid}_${++databases}`
      postgres?.sql(`CREATE DATABASE ${database}`)
      for (let n = 1; n <= nodes; n++) {
        const name = `node-${n}`
        const link = postgres && !given.url ? await Link.to(postgres.port) : undefined
        if (link) owned.push(link)
        const url = given.url?.(database) ?? postgres?.url(database, link?.port)
        const member = await Member.of({
          name,
          folder: join(folder, name),
          words: [...(url ? ['--store', url, '--node', name] : []), ...words],
          environment: { ...environment, ...(members[0] && { MERLON_KEY_FILE: members[0].keyFile }) },
          ...(link && { link }),
        })
        members.push(member)
        owned.push({ close: () => member.stop('SIGKILL') })
        const [made] = await member.start()
        account ??= made
      }
      return new Cluster(store, members, account!, postgres, owned)
    } catch (error) {
      await closeAll(owned)
      throw error
    }
  }

  /** A load balancer in front of all nodes, closed with the cluster. */
  async balanced(): Promise<RoundRobin> {
    return RoundRobin.over(this.members.map(({ url }) => url))
  }

  async close(): Promise<void> {
    await closeAll(this.#owned)
  }
}

let databases = 0

/** Last come, first closed: the database goes after everything that speaks to it. */
async function closeAll(owned: readonly { close(): unknown }[]): Promise<void> {
  for (const each of [...owned].reverse()) await each.close()
}

/**
 * Three nodes on one PostgreSQL behind a round-robin proxy, under the name of one server: suites that know an address
 * and a data directory run on them unchanged. `npm run test:nodes` says where the PostgreSQL is.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { RoundRobin } from './faults/round-robin.ts'
import { type Running, startAlone } from './process.ts'

const NODES = 3

/** `postgres://…/postgres`, of a superuser; undefined when each server has its own database. */
export const sharedPostgres = (): string | undefined => process.env['MERLON_TEST_POSTGRES']

/** Of the installation in that folder, which a later start finds again. */
export function databaseOf(data: string): string {
  const url = new URL(sharedPostgres()!)
  url.pathname = `/data_${createHash('sha256').update(data).digest('hex').slice(0, 16)}`
  return url.href
}

export async function startNodes(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Running> {
  const data = saidBy(words, '--data')!
  const port = saidBy(words, '--port')
  const rest = without(without(words, '--data'), '--port')
  const place = await placeOf(data)
  const start = (n: number) => {
    const folder = n === 1 ? data : `${data}-node-${n}`
    const own = n === 1 ? {} : { MERLON_NODE: `node-${n}`, MERLON_KEY_FILE: join(data, 'root.key') }
    return startAlone(['--data', folder, ...rest], { ...environment, ...place, ...own })
  }

  const nodes: Running[] = []
  const stop = async (signal?: NodeJS.Signals) => {
    const statuses = await Promise.all(nodes.map((node) => node.stop(signal)))
    return statuses.find((status) => status !== 0) ?? statuses[0] ?? null
  }
  try {
    nodes.push(await start(1))
    for (let n = 2; n <= NODES; n++) nodes.push(await start(n))
    const balancer = await RoundRobin.over(
      nodes.map(({ url }) => url),
      Number(port ?? 0),
    )
    return {
      url: balancer.url,
      ...(nodes[0]!.console && { console: nodes[0]!.console }),
      nodes: NODES,
      accounts: nodes[0]!.accounts,
      process: nodes[0]!.process,
      log: () => nodes.map((node) => node.log()).join(''),
      stop: async (signal) => {
        await balancer.close()
        return stop(signal)
      },
    }
  } catch (error) {
    await stop('SIGKILL')
    throw error
  }
}

/** What commands on that folder need to know: the first node's, as `merlon init` makes it and `merlon start` finds it. */
export async function placeOf(data: string): Promise<Readonly<Record<string, string>>> {
  const MERLON_STORE = databaseOf(data)
  await makeDatabase(MERLON_STORE)
  return { MERLON_STORE, MERLON_NODE: 'node-1' }
}

export function saidBy(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option)
  return at < 0 ? undefined : words[at + 1]
}

async function makeDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: sharedPostgres() })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${new URL(url).pathname.slice(1)}`)
  } catch (error) {
    // duplicate_database: the folder is started again.
    if ((error as { code?: string }).code !== '42P04') throw error
  } finally {
    await client.end()
  }
}

function without(words: readonly string[], option: string): readonly string[] {
  const at = words.indexOf(option)
  return at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)]
}

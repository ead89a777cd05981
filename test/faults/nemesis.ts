/** What goes wrong, as a table, and which of it goes wrong when, as a seed says. */
import type { Random } from '../wire/random.ts'
import type { Cluster } from './cluster.ts'
import type { LinkState } from './link.ts'
import { faketime, type Member } from './member.ts'
import type { Postgres } from './postgres.ts'

/** In the order of healing: a node cannot start without its database, nor that be reached without a wire. */
const PLACES = ['wire', 'clock', 'database', 'node'] as const

export interface Fault {
  readonly name: string
  readonly on: (typeof PLACES)[number]
  /** As long as it lasts; else as long as the round says. */
  readonly long?: true
  possible(cluster: Cluster): boolean
  /** Names what it hit, and says how it ends. */
  strike(cluster: Cluster, random: Random): Promise<Struck>
}

export interface Struck {
  readonly target: string
  end(): Promise<void>
}

const always = () => true
const several = ({ members }: Cluster) => members.length > 1
const onPostgres = ({ postgres }: Cluster) => postgres !== undefined

export const FAULTS: readonly Fault[] = [
  ends('SIGKILL', 'kill -9 of a node'),
  ends('SIGTERM', 'restart of a node'),
  {
    name: 'kill -9 of all nodes',
    on: 'node',
    possible: several,
    strike: async ({ members }) => {
      await Promise.all(members.map((member) => member.stop('SIGKILL')))
      return { target: 'all nodes', end: async () => void (await Promise.all(members.map((member) => member.start()))) }
    },
  },
  {
    name: 'SIGSTOP of a node',
    on: 'node',
    long: true,
    possible: always,
    strike: async ({ members }, random) => {
      const member = random.pick(members)
      member.signal('SIGSTOP')
      return { target: member.name, end: async () => member.signal('SIGCONT') }
    },
  },
  database('kill -9 of PostgreSQL', async (postgres) => {
    await postgres.signal('SIGKILL')
    return { target: 'PostgreSQL', end: () => postgres.start() }
  }),
  database('kill -9 of one connection', async (postgres, random) => {
    process.kill(random.pick(postgres.backends()), 'SIGKILL')
    // PostgreSQL ends all others and recovers automatically.
    return { target: 'a backend of PostgreSQL', end: () => postgres.start() }
  }),
  {
    ...database('SIGSTOP of PostgreSQL', async (postgres) => {
      await postgres.signal('SIGSTOP')
      return { target: 'PostgreSQL', end: () => postgres.signal('SIGCONT') }
    }),
    long: true,
  },
  {
    ...database('SIGSTOP of one connection', async (postgres, random) => {
      const backend = random.pick(postgres.backends())
      process.kill(backend, 'SIGSTOP')
      return { target: 'a backend of PostgreSQL', end: async () => goOn(backend) }
    }),
    long: true,
  },
  {
    ...database('disk full', async (postgres) => {
      postgres.fill(true)
      return {
        target: "PostgreSQL's disk",
        end: async () => {
          postgres.fill(false)
          await postgres.start()
        },
      }
    }),
    possible: ({ postgres }) => postgres?.ownDisk === true,
  },
  {
    ...database('slow fsync', async (postgres) => {
      postgres.slowFsync(300)
      return { target: "PostgreSQL's disk", end: async () => postgres.slowFsync(0) }
    }),
    possible: ({ postgres }) => postgres?.slowable === true,
  },
  wire('network cut', 'refuse'),
  wire('network silent', 'stall'),
  wire('network silent towards the database', 'stall-up'),
  wire('network silent from the database', 'stall-down'),
  wire('slow network', 'slow'),
  {
    name: 'network cut of all nodes',
    on: 'wire',
    possible: (cluster) => onPostgres(cluster) && several(cluster),
    strike: async ({ members }) => {
      const all = (state: LinkState) => Promise.all(members.map(({ link }) => link!.set(state)))
      await all('refuse')
      return { target: 'all nodes', end: async () => void (await all('pass')) }
    },
  },
  clock('clock ahead by 90 s', 90),
  clock('clock behind by 90 s', -90),
  clock('clock ahead by an hour', 3_600),
  clock('clock behind by an hour', -3_600),
]

/** A node ends, and starts again when the fault does. */
function ends(signal: NodeJS.Signals, name: string): Fault {
  return {
    name,
    on: 'node',
    possible: always,
    strike: async ({ members }, random) => {
      const member = random.pick(members)
      await member.stop(signal)
      return { target: member.name, end: async () => void (await member.start()) }
    },
  }
}

function database(name: string, strike: (postgres: Postgres, random: Random) => Promise<Struck>): Fault {
  return {
    name,
    on: 'database',
    possible: onPostgres,
    strike: ({ postgres }, random) => strike(postgres!, random),
  }
}

function onOne(strike: (member: Member) => Promise<() => Promise<void>>): Fault['strike'] {
  return async ({ members }, random) => {
    const member = random.pick(members)
    return { target: member.name, end: await strike(member) }
  }
}

function wire(name: string, state: LinkState): Fault {
  return {
    name,
    on: 'wire',
    possible: onPostgres,
    strike: onOne(async ({ link }) => {
      await link!.set(state)
      return () => link!.set('pass')
    }),
  }
}

function clock(name: string, seconds: number): Fault {
  return {
    name,
    on: 'clock',
    possible: () => faketime !== undefined,
    strike: onOne(async (member) => {
      member.clock(seconds)
      return async () => member.clock(0)
    }),
  }
}

function goOn(process_: number): void {
  try {
    process.kill(process_, 'SIGCONT')
  } catch {
    // Ended meanwhile, with its PostgreSQL.
  }
}

/** Each fault comes once before any comes twice; now and then one of another place comes with it. */
export function schedule(cluster: Cluster, rounds: number, together: number, random: Random): Fault[][] {
  const possible = FAULTS.filter((fault) => fault.possible(cluster))
  const deck: Fault[] = []
  return Array.from({ length: rounds }, () => {
    if (deck.length === 0) deck.push(...shuffled(possible, random))
    const first = deck.pop()!
    if (!random.chance(together)) return [first]
    const others = possible.filter(({ on }) => on !== first.on)
    return others.length === 0 ? [first] : [first, random.pick(others)]
  })
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.below(left.length), 1)[0]!)
}

export const inOrderOfHealing = <T extends { readonly fault: Fault }>(struck: readonly T[]): T[] =>
  [...struck].sort((a, b) => PLACES.indexOf(a.fault.on) - PLACES.indexOf(b.fault.on))

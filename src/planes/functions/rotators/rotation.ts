/**
 * Rotation for everything that knows users by password: what differs from engine to engine is how to log in and how to
 * set a password.
 */
import type { Builtin, BuiltinWorld } from '../builtin.ts'
import { inSteps, jsonOf, problem, putPending, type Turn, valueUnder } from './steps.ts'

/** What a secret says of an account of a database, as AWS's own rotation functions read it. */
export interface Login {
  readonly engine: string
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly dbname?: string | undefined
  /** Only `false`, said in the secret, goes without TLS. */
  readonly ssl: boolean
  readonly masterarn?: string | undefined
}

/** A session of a database: ends with `close`. */
export interface Session {
  /** Of an account that may be the session's own. The server learns a verifier, never the password. */
  setPassword(username: string, password: string): Promise<void>
  /** Makes the account when it is not there, with what the other one may. */
  clone(username: string, of: string, password: string): Promise<void>
  close(): Promise<void>
}

export interface Engine {
  /** As `engine` in the secret. */
  readonly names: readonly string[]
  readonly port: number
  /** Characters that the engine, or what reads its addresses, would stumble over. */
  readonly excluded: string
  readonly usernameMax: number
  /** undefined when the password is refused; throws when there is no answer at all. */
  login(world: BuiltinWorld, login: Login): Promise<Session | undefined>
}

const CLONE = '_clone'

export const singleUser = (engine: Engine): Builtin => rotation(engine, false)
/** Two alternating accounts: the one that clients still use is never touched. */
export const multiUser = (engine: Engine): Builtin => rotation(engine, true)

function rotation(engine: Engine, multi: boolean): Builtin {
  const work = (turn: Turn): Work => ({ ...turn, engine, multi })
  return inSteps({
    create: (turn) => create(work(turn)),
    set: (turn) => set(work(turn)),
    test: (turn) => test(work(turn)),
  })
}

interface Work extends Turn {
  readonly engine: Engine
  readonly multi: boolean
}

async function create(work: Work): Promise<void> {
  const { engine, multi, world, step } = work
  const current = await required(work, 'AWSCURRENT')
  if (multi && !current.login.masterarn) throw problem(step, 'the secret names no masterarn')
  if (await found(work, 'AWSPENDING')) return
  const { RandomPassword } = await world.secretsmanager('GetRandomPassword', { ExcludeCharacters: engine.excluded })
  const username = multi ? otherOf(work, current.login.username) : current.login.username
  await putPending(work, { ...current.secret, username, password: RandomPassword })
}

/** The account that is not in use at the moment. */
function otherOf({ engine, step }: Work, username: string): string {
  if (username.endsWith(CLONE)) return username.slice(0, -CLONE.length)
  const other = username + CLONE
  if (other.length > engine.usernameMax) throw problem(step, `the name of the user leaves no room for ${CLONE}`)
  return other
}

async function set(work: Work): Promise<void> {
  const { engine, multi, world, step } = work
  const [pending, current] = [await required(work, 'AWSPENDING'), await required(work, 'AWSCURRENT')]
  const wanted = multi ? otherOf(work, current.login.username) : current.login.username
  if (pending.login.username !== wanted || pending.login.host !== current.login.host) {
    throw problem(step, 'the pending version is of another user or host than the current one')
  }
  // An earlier try has come so far.
  const set = await engine.login(world, pending.login)
  if (set) return set.close()

  const session = multi ? await asMaster(work, current.login) : await asItself(work, current.login)
  try {
    if (multi) await session.clone(pending.login.username, current.login.username, pending.login.password)
    else await session.setPassword(pending.login.username, pending.login.password)
  } finally {
    await session.close()
  }
}

/** By the current password, or the one before: a rotation may have been undone by hand. */
async function asItself(work: Work, current: Login): Promise<Session> {
  const { engine, world, step } = work
  const session = await engine.login(world, current)
  if (session) return session
  const previous = await found(work, 'AWSPREVIOUS')
  if (previous && previous.login.username === current.username && previous.login.host === current.host) {
    const earlier = await engine.login(world, { ...previous.login, ssl: previous.login.ssl || current.ssl })
    if (earlier) return earlier
  }
  throw problem(step, 'neither the pending, nor the current, nor the previous password is accepted')
}

async function asMaster(work: Work, current: Login): Promise<Session> {
  const { engine, world, step } = work
  // What an attacker wrote into the secret must not send the master's password elsewhere.
  const own = await engine.login(world, current)
  if (!own) throw problem(step, 'the current password is not accepted')
  await own.close()
  const { login } = read(
    work,
    jsonOf(step, await world.secretsmanager('GetSecretValue', { SecretId: current.masterarn })),
  )
  if (login.host !== current.host) throw problem(step, 'the master is of another host')
  const session = await engine.login(world, login)
  if (!session) throw problem(step, 'the password of the master is not accepted')
  return session
}

async function test(work: Work): Promise<void> {
  const { engine, world, step } = work
  const session = await engine.login(world, (await required(work, 'AWSPENDING')).login)
  if (!session) throw problem(step, 'the pending password is not accepted')
  await session.close()
}

interface Held {
  readonly secret: Readonly<Record<string, unknown>>
  readonly login: Login
}

async function required(work: Work, stage: string): Promise<Held> {
  const held = await found(work, stage)
  if (!held) throw problem(work.step, `there is no ${stage} value`)
  return held
}

async function found(work: Work, stage: string): Promise<Held | undefined> {
  const value = await valueUnder(work, stage)
  return value && read(work, value)
}

/** Errors name members, never what they hold. */
function read({ engine, step }: Work, secret: Readonly<Record<string, unknown>>): Held {
  const text = (name: string): string => {
    const value = secret[name]
    if (typeof value !== 'string' || value === '') throw problem(step, `the value has no ${name}`)
    return value
  }
  const name = text('engine')
  if (!engine.names.includes(name)) throw problem(step, `the engine must be ${engine.names.join(' or ')}`)
  const { port = engine.port, dbname, masterarn, ssl } = secret
  if (!Number.isInteger(Number(port))) throw problem(step, 'the port is no number')
  return {
    secret,
    login: {
      engine: name,
      host: text('host'),
      port: Number(port),
      username: text('username'),
      password: text('password'),
      dbname: typeof dbname === 'string' ? dbname : undefined,
      masterarn: typeof masterarn === 'string' ? masterarn : undefined,
      ssl: !(ssl === false || ssl === 'false'),
    },
  }
}

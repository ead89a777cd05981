/** PostgreSQL, by its own protocol over a connection that the host has checked. */
import type { Socket } from 'node:net'
import pg from 'pg'
import type { BuiltinWorld } from '../builtin.ts'
import { type Engine, type Login, multiUser, type Session, singleUser } from './rotation.ts'
import { scramVerifier } from './scram.ts'

/** PostgreSQL's error codes, Appendix A: invalid password, invalid authorization specification. */
const REFUSED: ReadonlySet<string> = new Set(['28P01', '28000'])

const postgresql: Engine = {
  names: ['postgres', 'postgresql', 'aurora-postgresql'],
  port: 5432,
  excluded: '/@"\'\\:%',
  usernameMax: 63,
  login: async (world, login) => {
    const client = await connected(world, login)
    return client && sessionOf(client)
  },
}

async function connected(world: BuiltinWorld, login: Login): Promise<pg.Client | undefined> {
  const socket = await world.dial(login.host, login.port)
  const ca = world.environment['SSL_CA']
  const client = new pg.Client({
    host: login.host,
    port: login.port,
    user: login.username,
    password: login.password,
    database: login.dbname ?? 'postgres',
    stream: () => opened(socket),
    ssl: login.ssl ? { servername: login.host, ...(ca && { ca }) } : false,
  })
  // Reported by `connect` and `query`; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    socket.destroy()
    if (REFUSED.has((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}

/** The client wants to connect on its own; the connection exists already. */
function opened(socket: Socket): Socket {
  const own = socket as Socket & { connect: unknown }
  own.connect = () => {
    process.nextTick(() => socket.emit('connect'))
    return socket
  }
  return socket
}

function sessionOf(client: pg.Client): Session {
  const name = (text: string) => client.escapeIdentifier(text)
  const verifier = (password: string) => client.escapeLiteral(scramVerifier(password))
  const setPassword = async (username: string, password: string) => {
    await client.query(`ALTER ROLE ${name(username)} WITH PASSWORD ${verifier(password)}`)
  }
  return {
    setPassword,
    clone: async (username, of, password) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [username])
      if (rowCount) return setPassword(username, password)
      // As AWS's own function: the clone is a member of the first account, and may what that may.
      await client.query('BEGIN')
      await client.query(`CREATE ROLE ${name(username)} WITH LOGIN PASSWORD ${verifier(password)}`)
      await client.query(`GRANT ${name(of)} TO ${name(username)}`)
      await client.query('COMMIT')
    },
    close: () => client.end(),
  }
}

export const postgresqlSingleUser = singleUser(postgresql)
export const postgresqlMultiUser = multiUser(postgresql)

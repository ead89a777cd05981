/** MariaDB, by its own protocol. Of a new password only its hash is sent, so that no log of statements reveals it. */
import { createHash, randomUUID } from 'node:crypto'
import { type Connection, createConnection } from 'mysql2/promise'
import type { BuiltinWorld } from '../builtin.ts'
import { type Engine, type Login, multiUser, type Session, singleUser } from './rotation.ts'

/** ER_ACCESS_DENIED_ERROR, and MariaDB's for a user without a password plugin that accepts. */
const REFUSED: ReadonlySet<string> = new Set(['ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR'])

const mariadb: Engine = {
  names: ['mariadb'],
  port: 3306,
  excluded: '/@"\'\\:%',
  // MariaDB takes 80; AWS's function has the limit of MySQL's 32.
  usernameMax: 32,
  login: async (world, login) => {
    const connection = await connected(world, login)
    return connection && sessionOf(connection)
  },
}

async function connected(world: BuiltinWorld, login: Login): Promise<Connection | undefined> {
  const socket = await world.dial(login.host, login.port)
  const ca = world.environment['SSL_CA']
  try {
    return await createConnection({
      user: login.username,
      password: login.password,
      ...(login.dbname !== undefined && { database: login.dbname }),
      stream: socket,
      ...(login.ssl && { host: login.host, ssl: { verifyIdentity: true, ...(ca && { ca }) } }),
    })
  } catch (error) {
    socket.destroy()
    if (REFUSED.has((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}

/** Of a GRANT, or of the SET DEFAULT ROLE that is shown with them. */
const GRANTEE = /( TO | FOR )`(?:[^`]|``)*`@`(?:[^`]|``)*`/

function sessionOf(connection: Connection): Session {
  const name = (username: string) => `${connection.escape(username)}@'%'`
  const setPassword = async (username: string, password: string) => {
    await connection.query(
      `ALTER USER ${name(username)} IDENTIFIED BY PASSWORD ${connection.escape(nativeHash(password))}`,
    )
  }
  /** Statements that would give an account what it has. */
  const rights = async (username: string) => {
    const [grants] = await connection.query(`SHOW GRANTS FOR ${name(username)}`)
    return (grants as readonly Readonly<Record<string, string>>[]).map((row) =>
      Object.values(row)[0]!.replace(/ IDENTIFIED BY PASSWORD '[^']*'/, ''),
    )
  }
  return {
    setPassword: async (username, password) => {
      // A user may always change its own password, and by this statement no other's.
      await connection.query(`SET PASSWORD = ${connection.escape(nativeHash(password))}`)
      void username
    },
    clone: async (username, of, password) => {
      const [rows] = await connection.query('SELECT 1 FROM mysql.user WHERE User = ? AND Host = ?', [username, '%'])
      if ((rows as readonly unknown[]).length === 0) {
        const unusable = connection.escape(nativeHash(randomUUID()))
        await connection.query(`CREATE USER ${name(username)} IDENTIFIED BY PASSWORD ${unusable}`)
      }
      const own = (right: string) => right.replace(GRANTEE, (_whole, word) => `${word}${name(username)}`)
      const held = new Set((await rights(username)).map(own))
      for (const right of (await rights(of)).map(own)) if (!held.has(right)) await connection.query(right)
      // Last of all: a login proves that everything is done, so that a try that broke off before is not taken for
      // complete.
      await setPassword(username, password)
    },
    close: () => connection.end(),
  }
}

/** `mysql_native_password`: SHA-1 of SHA-1, in hexadecimal behind an asterisk. */
export function nativeHash(password: string): string {
  const sha1 = (bytes: string | Buffer) => createHash('sha1').update(bytes).digest()
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`
}

export const mariadbSingleUser = singleUser(mariadb)
export const mariadbMultiUser = multiUser(mariadb)

/** MariaDB, by its own protocol. What is sent of a new password is its hash, so that no log of statements tells it. */
import { createHash } from 'node:crypto'
import { type Connection, createConnection } from 'mysql2/promise'
import type { BuiltinWorld } from '../builtin.ts'
import { type Engine, type Login, multiUser, type Session, singleUser } from './rotation.ts'

/** ER_ACCESS_DENIED_ERROR, and MariaDB's for a user without a password plugin that accepts. */
const REFUSED: ReadonlySet<string> = new Set(['ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR'])

const mariadb: Engine = {
  names: ['mariadb'],
  port: 3306,
  excluded: '/@"\'\\:%',
  // MariaDB takes 80; AWS's function leaves room by MySQL's 32.
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

function sessionOf(connection: Connection): Session {
  const name = (username: string) => `${connection.escape(username)}@'%'`
  const setPassword = async (username: string, password: string) => {
    await connection.query(
      `ALTER USER ${name(username)} IDENTIFIED BY PASSWORD ${connection.escape(nativeHash(password))}`,
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
      if ((rows as readonly unknown[]).length > 0) return setPassword(username, password)
      await connection.query(
        `CREATE USER ${name(username)} IDENTIFIED BY PASSWORD ${connection.escape(nativeHash(password))}`,
      )
      const [grants] = await connection.query(`SHOW GRANTS FOR ${name(of)}`)
      for (const row of grants as readonly Readonly<Record<string, string>>[]) {
        const grant = Object.values(row)[0]!.replace(/ IDENTIFIED BY PASSWORD '[^']*'/, '')
        // The grantee is the last name of the statement, before its options.
        await connection.query(grant.replace(/ TO `[^`]*`@`[^`]*`/, ` TO ${name(username)}`))
      }
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

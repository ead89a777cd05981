/**
 * Redis and compatible servers, by users of their access control lists: RESP2 over a connection that the host has
 * checked.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as secured } from 'node:tls'
import type { BuiltinWorld } from '../builtin.ts'
import { type Engine, type Login, multiUser, type Session, singleUser } from './rotation.ts'

class RedisError extends Error {
  override readonly name = 'RedisError'
}

const redis: Engine = {
  names: ['redis', 'valkey'],
  port: 6379,
  excluded: '/@"\'\\:% ',
  usernameMax: 128,
  login: async (world, login) => {
    const connection = await connected(world, login)
    try {
      await connection.send('AUTH', login.username, login.password)
      return sessionOf(connection, world.log)
    } catch (error) {
      connection.end()
      if (error instanceof RedisError && /^(WRONGPASS|NOPERM)/.test(error.message)) return undefined
      throw error
    }
  },
}

interface Connection {
  send(...words: readonly string[]): Promise<string | readonly string[]>
  end(): void
}

async function connected(world: BuiltinWorld, login: Login): Promise<Connection> {
  const plain = await world.dial(login.host, login.port)
  if (!login.ssl) return speak(plain)
  const ca = world.environment['SSL_CA']
  const socket = secured({ socket: plain, servername: login.host, ...(ca && { ca }) })
  await once(socket, 'secureConnect')
  return speak(socket)
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024
const ANSWER_ITEMS_MAX = 100_000

/** One question at a time. Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function speak(socket: Socket): Connection {
  let held = Buffer.alloc(0)
  let waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined
  const look = () => {
    const end = held.indexOf('\r\n')
    if (end < 0 || !waiting) return
    const line = held.subarray(0, end).toString('utf8')
    held = held.subarray(end + 2)
    const { resolve } = waiting
    waiting = undefined
    resolve(line)
  }
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    // The host that the secret names is untrusted.
    if (held.length > ANSWER_BYTES_MAX) socket.destroy(new RedisError('the server answers too much'))
    else look()
  })
  const lose = () => waiting?.reject(new RedisError('the connection has ended'))
  socket.on('error', lose).on('close', lose)
  const line = () =>
    new Promise<string>((resolve, reject) => {
      waiting = { resolve, reject }
      look()
    })
  const answer = async (): Promise<string | readonly string[]> => {
    const first = await line()
    const rest = first.slice(1)
    switch (first[0]) {
      case '-':
        throw new RedisError(rest)
      case '$':
        // No command used here has a response with line breaks in it.
        return rest === '-1' ? '' : line()
      case '*': {
        const items: string[] = []
        if (Number(rest) > ANSWER_ITEMS_MAX) throw new RedisError('the server answers too much')
        for (let left = Number(rest); left > 0; left--) items.push([await answer()].flat().join(' '))
        return items
      }
      default:
        return rest
    }
  }
  return {
    send: (...words) => {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
      socket.write(`*${words.length}\r\n${parts.join('')}`)
      return answer()
    },
    end: () => socket.destroy(),
  }
}

const hashOf = (password: string) => `#${createHash('sha256').update(password).digest('hex')}`

/**
 * Users are in memory until they are saved: without this a server that starts again has the passwords of before.
 * Source: https://redis.io/docs/latest/commands/acl-save/
 */
async function save(connection: Connection, log: BuiltinWorld['log']): Promise<void> {
  try {
    await connection.send('ACL', 'SAVE')
  } catch (error) {
    if (!(error instanceof RedisError)) throw error
    // Users in the configuration, or nowhere: there is no file to save.
    if (/not configured to use an ACL file/i.test(error.message)) return
    if (!error.message.startsWith('NOPERM')) throw error
    log('The password is set, and may be lost when the server restarts: the user may not run ACL SAVE (+acl|save).')
  }
}

function sessionOf(connection: Connection, log: BuiltinWorld['log']): Session {
  /** Both passwords are valid until the rotation after the next: clients with the previous one keep working. */
  const setPassword = async (username: string, password: string) => {
    const kept = (await passwordsOf(connection, username)).at(-1)
    const only = ['resetpass', ...(kept === undefined ? [] : [`#${kept}`]), hashOf(password)]
    await connection.send('ACL', 'SETUSER', username, ...only)
    await save(connection, log)
  }
  return {
    setPassword,
    clone: async (username, of, password) => {
      const there = await connection.send('ACL', 'USERS')
      if (![there].flat().includes(username)) {
        const line = [await connection.send('ACL', 'LIST')].flat().find((each) => each.startsWith(`user ${of} `))
        const rules = (line ?? '')
          .split(' ')
          .slice(2)
          .filter((rule) => rule !== 'nopass' && !rule.startsWith('#'))
        await connection.send('ACL', 'SETUSER', username, 'reset', ...rules)
      }
      await connection.send('ACL', 'SETUSER', username, 'on', 'resetpass', hashOf(password))
      await save(connection, log)
    },
    close: async () => connection.end(),
  }
}

/** Hashes, in the order they were set. */
async function passwordsOf(connection: Connection, username: string): Promise<readonly string[]> {
  const line = [await connection.send('ACL', 'LIST')].flat().find((each) => each.startsWith(`user ${username} `)) ?? ''
  return [...line.matchAll(/ #([0-9a-f]{64})/g)].map(([, hash]) => hash!)
}

export const redisSingleUser = singleUser(redis)
export const redisMultiUser = multiUser(redis)

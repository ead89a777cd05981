/** A host that a secret names is untrusted: a server that answers without end is disconnected. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { BuiltinWorld } from '../builtin.ts'
import { redisSingleUser } from './redis.ts'

const event = { SecretId: 's', ClientRequestToken: 't', Step: 'testSecret' }

test.each<[string, (socket: Socket) => void]>([
  ['a line without an end', (socket) => flood(socket, Buffer.alloc(1 << 20, 'x'))],
  ['a list without an end', (socket) => void socket.write(`*${10 ** 12}\r\n`)],
])('A server that answers %s ends the step', async (_what, answer) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const value = { engine: 'redis', host: 'h', port, username: 'u', password: 'p', ssl: false }
  const world = {
    secretsmanager: async (operation: string) =>
      operation === 'DescribeSecret'
        ? { RotationEnabled: true, VersionIdsToStages: { t: ['AWSPENDING'] } }
        : { SecretString: JSON.stringify(value) },
    dial: async () => connect(port, '127.0.0.1'),
    environment: {},
  } satisfies Partial<BuiltinWorld>

  // biome-ignore lint/suspicious/noExplicitAny: the step uses nothing else of its context.
  await expect(redisSingleUser(event, world as any)).rejects.toThrow(/ended|too much/)
  server.close()
})

/** As long as the other side listens. */
function flood(socket: Socket, chunk: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
}

test.each<[string, string, string | undefined]>([
  ['is saved', '+OK', undefined],
  ['is set where there is no file', '-ERR This Redis instance is not configured to use an ACL file.', undefined],
  ['is set where the user may not save, and the log says so', '-NOPERM this user has no permissions', undefined],
  ['that cannot be saved fails the step', '-ERR There was an error trying to save the ACLs.', 'error trying to save'],
])('A password %s', async (_what, saved, problem) => {
  const received: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      const words = chunk
        .toString()
        .split('\r\n')
        .filter((_word, i) => i % 2 === 0 && i > 0)
      received.push(words.slice(0, 2).join(' '))
      if (words[0] === 'AUTH') return socket.write(words[2] === 'new' ? '-WRONGPASS invalid\r\n' : '+OK\r\n')
      if (words[1] === 'LIST') return socket.write('*1\r\n+user u on ~* +@all\r\n')
      return socket.write(`${words[1] === 'SAVE' ? saved : '+OK'}\r\n`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const secretOf = (password: string) => ({ engine: 'redis', host: 'h', port, username: 'u', password, ssl: false })
  const logged: string[] = []
  const world = {
    secretsmanager: async (operation: string, { VersionStage }: { VersionStage?: string }) =>
      operation === 'DescribeSecret'
        ? { RotationEnabled: true, VersionIdsToStages: { t: ['AWSPENDING'], old: ['AWSCURRENT'] } }
        : { SecretString: JSON.stringify(secretOf(VersionStage === 'AWSPENDING' ? 'new' : 'old')) },
    dial: async () => connect(port, '127.0.0.1'),
    environment: {},
    log: (line: string) => void logged.push(line),
  }

  // biome-ignore lint/suspicious/noExplicitAny: the step uses nothing else of its context.
  const step = redisSingleUser({ ...event, Step: 'setSecret' }, world as any)
  if (problem === undefined) await step
  else await expect(step).rejects.toThrow(problem)

  expect(received.slice(received.indexOf('ACL SETUSER'))).toEqual(['ACL SETUSER', 'ACL SAVE'])
  expect(logged.length).toBe(saved.startsWith('-NOPERM') ? 1 : 0)
  server.close()
})

/** What a secret names as its host may be anybody: a server that answers without end is left, not listened to. */
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

  // biome-ignore lint/suspicious/noExplicitAny: the step asks for nothing else of its world.
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

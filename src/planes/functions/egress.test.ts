/** Where functions may go. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Egress, readEgress } from './egress.ts'

const known: Readonly<Record<string, readonly string[]>> = {
  'public.test': ['93.184.216.34'],
  'db.test': ['10.0.0.5'],
  'both.test': ['10.0.0.5', '93.184.216.34'],
  'metadata.test': ['169.254.169.254'],
}
const egress = (list = '') => new Egress(readEgress(list), async (host) => known[host] ?? [])

describe('A function', () => {
  test('may go to the public internet', async () => {
    expect(await egress().place('public.test', 443)).toEqual({ address: '93.184.216.34', port: 443 })
    expect(await egress().place('8.8.8.8', 53)).toEqual({ address: '8.8.8.8', port: 53 })
  })

  test.each(['db.test', '127.0.0.1', '10.0.0.5', '192.168.1.1', '[::1]', '::ffff:127.0.0.1', 'fd00::1', '0.0.0.0'])(
    'may not go to %s',
    async (host) => {
      await expect(egress().place(host, 5432)).rejects.toThrow(/may not connect .* MERLON_FUNCTION_EGRESS/)
    },
  )

  test('may go where the operator says: to that host and that port', async () => {
    const listed = egress('DB.test:5432, 10.0.0.9:*')

    expect((await listed.place('db.test', 5432)).address).toBe('10.0.0.5')
    expect((await listed.place('Db.Test', 5432)).address).toBe('10.0.0.5')
    expect((await listed.place('10.0.0.9', 1)).address).toBe('10.0.0.9')
    await expect(listed.place('db.test', 5433)).rejects.toThrow('may not connect')
    await expect(listed.place('10.0.0.5', 5432)).rejects.toThrow('may not connect')
  })

  test.each([
    ['metadata.test', 80],
    ['169.254.169.254', 80],
    ['169.254.170.2', 80],
    ['::ffff:169.254.169.254', 80],
    ['fd00:ec2::254', 80],
  ])('may never go to %s, whatever the operator says', async (host, port) => {
    const name = host.includes(':') ? `[${host}]` : host

    await expect(egress(`${name}:*`).place(host, port)).rejects.toThrow('may not connect')
  })

  test('is led to the address that passes, where a name has several', async () => {
    expect((await egress().place('both.test', 443)).address).toBe('93.184.216.34')
  })

  test('does not get anywhere by a name that does not resolve', async () => {
    await expect(egress('nobody.test:1').place('nobody.test', 1)).rejects.toThrow('may not connect')
  })
})

describe('A connection', () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    server = createServer((socket) => void socket.on('error', () => undefined).write('hello')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => void server.close())

  test('goes to the address that was checked, though the name has another one by then', async () => {
    const answers = ['127.0.0.1', '169.254.169.254']
    const rebinding = new Egress(readEgress(`rebind.test:${port}`), async () => [answers.shift()!])

    const socket = await rebinding.dial('rebind.test', port, new AbortController().signal)

    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    expect(answers).toHaveLength(1)
    socket.destroy()
  })

  test('ends when the time of the function has run out', async () => {
    const ending = new AbortController()
    const socket = await egress(`127.0.0.1:${port}`).dial('127.0.0.1', port, ending.signal)
    const closed = new Promise<Error>((resolve) => socket.once('error', resolve))

    ending.abort()

    expect((await closed).message).toContain('run out')
    await expect(egress(`127.0.0.1:${port}`).dial('127.0.0.1', port, ending.signal)).rejects.toThrow()
  })

  test('to a closed port fails', async () => {
    await expect(egress('127.0.0.1:1').dial('127.0.0.1', 1, new AbortController().signal)).rejects.toThrow(
      'ECONNREFUSED',
    )
  })
})

describe('The list', () => {
  test('may be empty, and has names, addresses and any port', () => {
    expect(readEgress(undefined).size).toBe(0)
    expect([...readEgress(' a.test:1 ,,[FD00::1]:443,10.0.0.1:*')]).toEqual(['a.test:1', 'fd00::1:443', '10.0.0.1:*'])
  })

  test.each(['a.test', 'a.test:', ':5', 'a.test:0', 'a.test:65536', 'a.test:x', 'a b:1', 'http://a:1', '[nope]:1'])(
    'does not say %s',
    (text) => {
      expect(() => readEgress(text)).toThrow(`MERLON_FUNCTION_EGRESS: '${text}' is not host:port`)
    },
  )
})

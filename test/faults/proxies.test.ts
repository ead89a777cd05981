/** The two proxies of the harness: what they pass, what they hold back, and when. */
import { once } from 'node:events'
import { createServer as createHttp, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { Link, SLOW_MS } from './link.ts'
import { RoundRobin } from './round-robin.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('the wire to the database', () => {
  /** A peer that echoes everything, and a client through the link that records what it receives. */
  async function wire() {
    const sockets = new Set<Socket>()
    const echo = createServer((socket) => void sockets.add(socket.on('error', () => undefined).pipe(socket)))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const link = await Link.to((echo.address() as AddressInfo).port)
    const client = connect(link.port, '127.0.0.1')
    await once(client, 'connect')
    let heard = ''
    client.on('data', (bytes) => (heard += bytes))
    client.on('error', () => undefined)
    closing.push(
      () => echo.close(),
      () => link.close(),
      () => client.destroy(),
    )
    return { link, client, heard: () => heard }
  }

  test('passes bytes both ways', async () => {
    const { client, heard } = await wire()
    client.write('one')

    await expect.poll(heard).toBe('one')
  })

  test.each(['stall', 'stall-up', 'stall-down'] as const)('%s holds every byte back, and loses none', async (state) => {
    const { link, client, heard } = await wire()
    await link.set(state)
    client.write('held')
    await wait(100)
    expect(heard()).toBe('')

    await link.set('pass')

    await expect.poll(heard).toBe('held')
  })

  test('slow delays each way', async () => {
    const { link, client, heard } = await wire()
    await link.set('slow')
    const before = performance.now()
    client.write('late')

    await expect.poll(heard, { interval: 5 }).toBe('late')

    expect(performance.now() - before).toBeGreaterThan(2 * SLOW_MS - 20)
  })

  test('refuse breaks what is open and takes nothing new, until it passes again at the same port', async () => {
    const { link, client } = await wire()
    const port = link.port
    const closed = new Promise((done) => client.once('close', done))
    await link.set('refuse')
    await closed
    const refused = connect(port, '127.0.0.1')
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')

    await link.set('pass')
    const again = connect(port, '127.0.0.1')
    await once(again, 'connect')
    again.write('back')
    const [bytes] = await once(again, 'data')
    again.destroy()

    expect(String(bytes)).toBe('back')
    expect(link.port).toBe(port)
  })
})

describe('the round-robin proxy', () => {
  async function node(
    name: string,
    answer?: RequestListener,
  ): Promise<{ url: string; server: Server; asked: string[] }> {
    const asked: string[] = []
    const server = createHttp((request, response) => {
      if (request.url === '/health') return void response.end('{}')
      let body = ''
      request.on('data', (chunk) => (body += chunk))
      request.on('end', () => {
        asked.push(body)
        if (answer) answer(request, response)
        else response.writeHead(200, { 'x-host': request.headers.host }).end(`${name}:${body}`)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close().closeAllConnections())
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked }
  }

  const over = async (...nodes: readonly { readonly url: string }[]) => {
    const proxy = await RoundRobin.over(nodes.map(({ url }) => url))
    closing.push(() => proxy.close())
    return proxy
  }
  const post = (url: string, body: string) => fetch(url, { method: 'POST', body })
  const text = async (url: string, body: string) => (await post(url, body)).text()

  test('sends one request after another, with its bytes and its Host', async () => {
    const proxy = await over(await node('a'), await node('b'), await node('c'))
    const answers = []
    for (let n = 0; n < 6; n++) answers.push(await text(proxy.url, String(n)))

    expect(answers).toEqual(['a:0', 'b:1', 'c:2', 'a:3', 'b:4', 'c:5'])
    expect(proxy.served).toEqual([2, 2, 2])
    expect((await post(proxy.url, '')).headers.get('x-host')).toBe(new URL(proxy.url).host)
  })

  test('goes past a node that is not listening, and takes it back when it is healthy', async () => {
    const [a, b] = [await node('a'), await node('b')]
    const proxy = await over(a, b)
    const { port } = new URL(b.url)
    b.server.closeAllConnections()
    b.server.close()
    const large = 'x'.repeat(300_000)

    for (let n = 0; n < 4; n++) expect(await text(proxy.url, large)).toBe(`a:${large}`)
    b.server.listen(Number(port), '127.0.0.1')

    await expect.poll(() => proxy.up).toEqual([true, true])
    expect([await text(proxy.url, ''), await text(proxy.url, '')].sort()).toEqual(['a:', 'b:'])
  })

  test('sends no request twice: a node that breaks off in the middle is a 502 for that one', async () => {
    const broken = await node('a', (request) => void request.socket.destroy())
    const whole = await node('b')
    const proxy = await over(broken, whole)

    const first = await post(proxy.url, 'once')

    expect(first.status).toBe(502)
    expect([broken.asked, whole.asked]).toEqual([['once'], []])
  })

  test('leaves out a node that says it is not well', async () => {
    const sick = createHttp((_, response) => void response.writeHead(503).end())
    sick.listen(0, '127.0.0.1')
    await once(sick, 'listening')
    closing.push(() => sick.close().closeAllConnections())
    const proxy = await over({ url: `http://127.0.0.1:${(sick.address() as AddressInfo).port}` }, await node('b'))

    await expect.poll(() => proxy.up).toEqual([false, true])

    for (let n = 0; n < 4; n++) expect(await text(proxy.url, '')).toBe('b:')
  })
})

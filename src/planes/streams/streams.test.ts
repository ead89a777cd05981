import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, test } from 'vitest'
import { asNode } from '../../../test/node.ts'
import { makeCheckpoint } from '../../kernel/log-integrity/checkpoint.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { checkpoints, events } from './source.ts'
import { Stream } from './stream.ts'
import { readTarget } from './target.ts'

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
})
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'merlon-stream-'))
  ended.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function log() {
  const store = await openStore({ file: ':memory:' })
  ended.push(() => store.close())
  let written = 0
  return {
    store,
    append: (count: number, more: object = {}) =>
      store.run((unit) => {
        for (let n = 0; n < count; n++) {
          const id = `e${++written}`
          const body = JSON.stringify({ eventName: 'GetUser', eventID: id, ...more })
          unit.append({
            id,
            account: '111122223333',
            region: 'us-east-1',
            timeMs: 1_000 + written,
            attributes: [],
            body,
          })
        }
      }),
  }
}

function stream(store: Store, target: string, environment: Readonly<Record<string, string>> = {}, source = events) {
  const told: string[] = []
  const made = new Stream({
    store,
    source: source(store),
    heldMs: 600,
    target: readTarget(target, { version: '9', environment }),
    report: (level, message, facts) => void told.push(`${level} ${message} ${JSON.stringify(facts)}`),
    retryMs: 5,
  })
  made.start()
  ended.push(() => made.stop())
  return { stream: made, told }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5))
}

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, n) => `e${from + n}`)

/** A web server that answers as configured, and records what it received. */
async function receiver(answer: (n: number, response: ServerResponse) => void = () => undefined) {
  const taken: { headers: IncomingMessage['headers']; body: string; url: string }[] = []
  let asked = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    answer(asked++, response)
    if (response.statusCode < 300 && !response.destroyed)
      taken.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), url: request.url! })
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ended.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    taken,
    asked: () => asked,
    host: `127.0.0.1:${port}`,
    ids: () => taken.flatMap(({ body }) => JSON.parse(body).Records.map(({ eventID }: { eventID: string }) => eventID)),
  }
}

describe('A stream', () => {
  it('brings everything in order, a batch at a time, and goes on where it was', async () => {
    const { store, append } = await log()
    const file = join(folder(), 'out.jsonl')
    await append(1_203)
    const first = stream(store, `file://${file}`)
    const read = () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).eventID)
    await until(() => first.stream.status().sent === 1_203)
    expect(read()).toEqual(ids(1_203))
    await first.stream.stop()
    await append(2)
    const second = stream(store, `file://${file}`)
    await until(() => second.stream.status().sent === 2)
    expect(read()).toEqual(ids(1_205))
  })

  it('sends what is left before it ends', async () => {
    const { store, append } = await log()
    const file = join(folder(), 'out.jsonl')
    const { stream: it } = stream(store, `file://${file}`)
    await append(1)
    await until(() => it.status().sent === 1)
    await append(700)
    await it.stop()
    expect(readFileSync(file, 'utf8').split('\n').filter(Boolean)).toHaveLength(701)
  })

  it('to a file begins a new one when the old was rotated away, and a new line behind a broken one', async () => {
    const { store, append } = await log()
    const file = join(folder(), 'out.jsonl')
    writeFileSync(file, '{"eventID":"cut o')
    await append(1)
    const { stream: it } = stream(store, `file://${file}`)
    await until(() => it.status().sent === 1)
    expect(readFileSync(file, 'utf8')).toMatch(/^\{"eventID":"cut o\n\{"eventName":"GetUser","eventID":"e1"\}\n$/)
    renameSync(file, `${file}.1`)
    await append(1)
    await until(() => it.status().sent === 2)
    expect(readFileSync(file, 'utf8')).toBe('{"eventName":"GetUser","eventID":"e2"}\n')
  })

  it('to a webhook signs its batches, and identifies itself by what the address says', async () => {
    const { store, append } = await log()
    const hook = await receiver()
    await append(3)
    const { stream: it, told } = stream(store, `http://ann:p%40ss@${hook.host}/in?token=t0ken`, {
      MERLON_STREAM_KEY: 'shared',
    })
    await until(() => hook.taken.length === 1)
    const [{ headers, body, url }] = hook.taken as [(typeof hook.taken)[0]]
    expect(hook.ids()).toEqual(ids(3))
    expect(url).toBe('/in?token=t0ken')
    expect(headers).toMatchObject({
      'x-merlon-signature': `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`,
      'x-merlon-delivery': '1-3',
      authorization: `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
    })
    await until(() => it.status().sent === 3)
    expect(JSON.stringify([it.status(), told])).not.toMatch(/p%40ss|p@ss|t0ken|shared/)
  })

  it('tries again whatever the target answers, and holds no more than one batch meanwhile', async () => {
    const { store, append } = await log()
    const answers = [503, 400, 429, 404, 500]
    const hook = await receiver((n, response) => {
      if (n === 2) response.setHeader('retry-after', '0')
      if (n === 5) response.destroy()
      else response.statusCode = answers[n] ?? 200
    })
    await append(600)
    const { stream: it, told } = stream(store, `http://${hook.host}/`)
    await until(() => it.status().sent === 600)
    expect(hook.ids()).toEqual(ids(600))
    expect(hook.taken.map(({ headers }) => headers['x-merlon-delivery'])).toEqual(['1-500', '501-600'])
    expect(it.status().error).toBeUndefined()
    expect(told.filter((line) => line.includes('stream waits'))).toHaveLength(1)
    expect(told.at(-1)).toContain('stream goes on')
  })

  it('is not held up by an unreadable record', async () => {
    const { store, append } = await log()
    const { host, ids: got, taken } = await receiver()
    await append(1)
    await store.run((unit) =>
      unit.append({ id: 'x', account: '1', region: 'us-east-1', timeMs: 1, attributes: [], body: '{"eventName":' }),
    )
    await append(1)
    const { stream: it } = stream(store, `http://${host}/`)
    await until(() => it.status().sent === 3)
    expect(got()).toEqual(['e1', undefined, 'e2'])
    expect(taken[0]!.body).toContain('{"eventName":"Unreadable","text":"{\\"eventName\\":"}')
  })

  it('brings large events in small batches, without a pause between them', async () => {
    const { store, append } = await log()
    const { host, ids: got, taken } = await receiver()
    await append(200, { text: 'x'.repeat(100_000) })
    const more: boolean[] = []
    const watched: typeof events = (of) => {
      const source = events(of)
      const read: typeof source.read = async (after, limit) => {
        const batch = await source.read(after, limit)
        more.push(batch.more)
        return batch
      }
      return { ...source, read }
    }
    const { stream: it } = stream(store, `http://${host}/`, {}, watched)
    await until(() => it.status().sent === 200)
    expect(got()).toEqual(ids(200))
    expect(Math.max(...taken.map(({ body }) => body.length))).toBeLessThan(8_000_000)
    expect(taken.length).toBeGreaterThan(2)
    // A stream pauses only after a batch behind which there is nothing more.
    expect(more.slice(0, taken.length - 1)).toEqual(Array(taken.length - 1).fill(true))
  })

  it('waits as long as the target requests', async () => {
    const { store, append } = await log()
    const hook = await receiver((_n, response) => {
      response.setHeader('retry-after', '3600')
      response.statusCode = 503
    })
    await append(1)
    const { stream: it } = stream(store, `http://${hook.host}/`)
    await until(() => it.status().error !== undefined)
    await new Promise((done) => setTimeout(done, 100))
    expect(hook.asked()).toBe(1)
    expect(it.status()).toMatchObject({ error: 'it answered 503', sent: 0 })
  })

  it('follows no redirect', async () => {
    const { store, append } = await log()
    const other = await receiver()
    const hook = await receiver((_n, response) => {
      response.setHeader('location', `http://${other.host}/`)
      response.statusCode = 307
    })
    await append(1)
    const { stream: it } = stream(store, `http://${hook.host}/`)
    await until(() => it.status().error !== undefined)
    expect(other.asked()).toBe(0)
  })

  it('to a collector speaks OTLP: refusals are warnings', async () => {
    const { store, append } = await log()
    const collector = await receiver()
    await append(1)
    await append(1, { errorCode: 'AccessDenied' })
    const { stream: it } = stream(store, `otlp+http://${collector.host}/v1/logs`)
    await until(() => it.status().sent === 2)
    const [{ body, url, headers }] = collector.taken as [(typeof collector.taken)[0]]
    expect([url, headers['content-type']]).toEqual(['/v1/logs', 'application/json'])
    const [{ resource, scopeLogs }] = JSON.parse(body).resourceLogs
    expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'merlon' } })
    expect(scopeLogs[0].logRecords).toMatchObject([
      { timeUnixNano: '1001000000', severityNumber: 9, severityText: 'INFO', eventName: 'GetUser' },
      { severityNumber: 13, severityText: 'WARN' },
    ])
    expect(JSON.parse(scopeLogs[0].logRecords[1].body.stringValue)).toMatchObject({ eventID: 'e2' })
  })

  it('reports what a collector rejects for good, and sends it once', async () => {
    const { store, append } = await log()
    let asked = 0
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        asked++
        response.end('{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ended.push(() => server.close())
    await append(1)
    const { stream: it, told } = stream(
      store,
      `otlp+http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`,
    )
    await until(() => it.status().sent === 1)
    expect([asked, told]).toEqual([1, [expect.stringContaining('rejected 1 records: too old')]])
  })
})

/** RFC 5424: `<PRI>1 TIME HOST APP PROC MSGID SD MSG`. */
const SYSLOG = /^<(\d+)>1 (\S+) (\S+) merlon (\d+) (\S+) - (\{.*\})$/

describe('Of several nodes', () => {
  it('one sends; the next goes on when it ends, and again when that one dies', async () => {
    const { store, append } = await log()
    const { host, ids: got } = await receiver()
    await append(700)
    let dead = false
    const mortal = new Proxy(asNode(store, 'b'), {
      get: (target, name) =>
        name === 'run' && dead ? () => Promise.reject(new Error('dead')) : Reflect.get(target, name, target),
    })
    const a = stream(asNode(store, 'a'), `http://${host}/`).stream
    await until(() => a.status().sent === 700)
    const b = stream(mortal, `http://${host}/`).stream
    await until(() => b.status().elsewhere === 'a')
    await append(3)
    await until(() => a.status().sent === 703)
    expect(b.status().sent).toBe(0)

    await a.stop()
    await append(3)
    await until(() => b.status().sent === 3)
    const c = stream(asNode(store, 'c'), `http://${host}/`).stream
    await until(() => c.status().elsewhere === 'b')
    dead = true
    await append(3)
    await until(() => c.status().sent === 3 && c.status().elsewhere === undefined)
    const once = [...new Set(got())]
    expect(once).toEqual(ids(709))
    // What b had sent, and could not say so, may come again.
    expect(got().length - once.length).toBeLessThanOrEqual(3)
  })

  it('a witness gets the checkpoints of all, in the order of each', async () => {
    const { store, append } = await log()
    const { host, taken } = await receiver()
    const vault = await ephemeralVault()
    const made = async (node: string) => {
      await append(1)
      // All records of this store are `main`'s: what counts here is who signs.
      const heads = (await store.heads()).map((head) => ({ ...head, node }))
      await makeCheckpoint(store, vault, { node, heads, nowMs: 0 })
    }
    for (const node of ['main', 'main0', 'main', 'ma', 'main']) await made(node)
    const it = stream(asNode(store, 'ma'), `http://${host}/`, {}, checkpoints).stream
    const sent = async (count: number) => {
      await until(() => it.status().sent === count)
      return taken.flatMap(({ body }) =>
        JSON.parse(body).Records.map(({ node, number }: { node: string; number: number }) => `${node}.${number}`),
      )
    }
    expect((await sent(5)).sort()).toEqual(['ma.1', 'main.1', 'main.2', 'main.3', 'main0.1'])
    // Rows that another process wrote do not cause an endless loop.
    await store.run((unit) => unit.put('kernel/checkpoint/main/000000000000', { node: 'a' }))
    for (const node of ['main0', 'main']) await made(node)
    expect((await sent(7)).slice(5).sort()).toEqual(['main.4', 'main0.2'])
    expect(taken.map(({ headers }) => headers['x-merlon-delivery'])).toContain('main.4-main0.2')
  })
})

describe('Syslog', () => {
  it('over TCP counts octets, and goes on over another connection', async () => {
    const { store, append } = await log()
    let bytes = Buffer.alloc(0)
    const sockets: Socket[] = []
    const server = createTcp((socket) => {
      sockets.push(socket)
      socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ended.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const messages = () => {
      const found: string[] = []
      for (let at = 0; at < bytes.length; ) {
        const blank = bytes.indexOf(' ', at)
        const length = Number(bytes.toString('latin1', at, blank))
        found.push(bytes.toString('utf8', blank + 1, blank + 1 + length))
        at = blank + 1 + length
      }
      return found
    }
    await append(1, { userAgent: 'ünï\n' })
    await append(1, { errorCode: 'AccessDenied' })
    const { stream: it } = stream(store, `syslog+tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await until(() => it.status().sent === 2)
    await until(() => messages().length === 2)
    const [first, second] = messages().map((message) => SYSLOG.exec(message)!)
    expect([first![1], first![2], first![5]]).toEqual(['110', '1970-01-01T00:00:01.001Z', 'GetUser'])
    expect(JSON.parse(first![6]!)).toMatchObject({ userAgent: 'ünï\n' })
    expect(second![1]).toBe('108')
    sockets[0]!.destroy()
    await new Promise((done) => setTimeout(done, 50))
    await append(1)
    await until(() => messages().length === 3)
    expect(sockets).toHaveLength(2)
  })

  it('over UDP is one datagram for each', async () => {
    const { store, append } = await log()
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    ended.push(() => socket.close())
    const messages: string[] = []
    socket.on('message', (message) => messages.push(message.toString()))
    await append(3)
    stream(store, `syslog://127.0.0.1:${socket.address().port}`)
    await until(() => messages.length === 3)
    expect(messages.map((message) => JSON.parse(SYSLOG.exec(message)![6]!).eventID)).toEqual(ids(3))
  })

  it('waits for a target that is not listening', async () => {
    const { store, append } = await log()
    await append(1)
    const { stream: it } = stream(store, 'syslog+tcp://127.0.0.1:1')
    await until(() => it.status().error !== undefined)
    expect(it.status().error).toContain('ECONNREFUSED')
  })
})

test.each([
  ['no address', 'nonsense'],
  ['an unknown scheme', 'gopher://example.com'],
  ['no host', 'syslog:///x'],
  ['a bucket without keys', 's3://bucket'],
])('%s is no target', (_what, text) => {
  expect(() => readTarget(text, { version: '9', environment: {} })).toThrow()
})

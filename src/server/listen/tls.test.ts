/** TLS on listeners: certificates that change, names that are refused, protocols, and what a request says of its connection. */
import { execFile } from 'node:child_process'
import { mkdtempSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2, constants as http2 } from 'node:http2'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../wire/http.ts'
import type { Logger } from '../compose/log.ts'
import { type Handler, type Listener, type ListenOptions, listen } from './listener.ts'
import { authorityCertificateOf, authorityFileOf, OwnAuthority } from './own-authority.ts'
import { TlsFiles } from './tls.ts'

const run = promisify(execFile)
const folder = () => mkdtempSync(join(tmpdir(), 'merlon-test-'))
const logged: string[] = []
const logger: Logger = { log: (level, message) => void logged.push(`${level} ${message}`) }
const NAMES = ['localhost', '127.0.0.1']

const open: Listener[] = []
const sockets: { destroy(): unknown }[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((each) => each.close()))
})

const seen: HttpRequest[] = []
const echo: Handler = async (request) => {
  seen.push(request)
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: request.body.toString() || 'hello' }
}

async function secured(options: Partial<ListenOptions> = {}) {
  const directory = folder()
  const tls = new OwnAuthority(directory, NAMES, logger)
  const listener = await listen(echo, { host: '127.0.0.1', port: 0, tls, ...options })
  open.push(listener)
  const authority = authorityCertificateOf(directory)
  return { listener, authority, ca: tls.authorityPem, directory }
}

function get(port: number, options: RequestOptions): Promise<{ status: number; text: string; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpsRequest({ host: '127.0.0.1', port, servername: 'localhost', ...options }, (answer) => {
      const fingerprint = (answer.socket as TLSSocket).getPeerCertificate().fingerprint256
      let text = ''
      answer.on('data', (chunk) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode!, text, fingerprint }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

function handshake(port: number, options: Parameters<typeof connect>[1] & object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => resolve(socket))
    sockets.push(socket)
    socket.on('error', reject)
  })
}

describe('A listener with TLS', () => {
  test('is trusted by curl with the authority, by name and by address', async () => {
    const { listener, authority } = await secured()
    const curl = async (host: string) =>
      (await run('curl', ['-sS', '--cacert', authority, `https://${host}:${listener.port}/`])).stdout

    expect(listener.url).toMatch(/^https:/)
    expect([await curl('localhost'), await curl('127.0.0.1')]).toEqual(['hello', 'hello'])
  })

  test('says of a request that it was encrypted, and how', async () => {
    const { listener, ca } = await secured()
    seen.length = 0
    await get(listener.port, { ca })

    expect(seen[0]).toMatchObject({
      secure: true,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
      remoteAddress: '127.0.0.1',
    })
  })

  test('refuses the handshake for a name that it does not have', async () => {
    const { listener } = await secured()

    await expect(handshake(listener.port, { servername: 'other.example' })).rejects.toThrow()
    expect((await handshake(listener.port, { servername: 'localhost' })).authorized).toBe(false)
    // A client that connects by address names no server.
    expect((await handshake(listener.port, {})).getProtocol()).toBe('TLSv1.3')
  })

  test.each([
    ['TLSv1', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['TLSv1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['a cipher without authenticated encryption', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
    ['an application protocol that it does not speak', { ALPNProtocols: ['h2'] }],
  ] as const)('refuses %s', async (_what, options) => {
    const { listener } = await secured()

    await expect(handshake(listener.port, { servername: 'localhost', ...options } as object)).rejects.toThrow()
  })

  test('has of all ciphers that OpenSSL knows only those with forward secrecy and authenticated encryption', async () => {
    const { listener } = await secured()
    const { stdout } = await run('openssl', ['ciphers', '-s', '-tls1_2', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'])
    const ciphers = stdout.trim().split(':')
    const accepted: string[] = []
    for (const cipher of ciphers) {
      const options = { servername: 'localhost', maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0` } as const
      await handshake(listener.port, options).then(
        (socket) => accepted.push(socket.getCipher().name),
        () => undefined,
      )
    }

    expect(ciphers.length).toBeGreaterThan(50)
    expect(accepted).toContain('ECDHE-ECDSA-AES256-GCM-SHA384')
    expect(accepted.filter((name) => !/^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20-POLY1305)/.test(name))).toEqual([])
  })

  test('speaks TLS 1.2 with forward secrecy', async () => {
    const { listener } = await secured()
    const socket = await handshake(listener.port, { servername: 'localhost', maxVersion: 'TLSv1.2' })

    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'])
  })

  test('cuts off a head that does not come', async () => {
    const { listener } = await secured({ headersMsMax: 200 })
    const socket = await handshake(listener.port, { servername: 'localhost' })
    socket.write('GET / HTTP/1.1\r\nHo')
    socket.resume()

    await new Promise((resolve) => socket.once('close', resolve))
  })
})

describe('Certificate files', () => {
  /** A pair under an authority of its own. */
  function pair() {
    const authority = new OwnAuthority(folder(), NAMES, logger)
    return { ...authority.current(), ca: authority.authorityPem }
  }

  test('that change under load change the certificate, and no call fails', async () => {
    const [first, second] = [pair(), pair()]
    const directory = folder()
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    const write = ({ cert, key }: ReturnType<typeof pair>) => {
      for (const [name, text] of [
        ['cert', cert],
        ['key', key],
      ] as const) {
        writeFileSync(`${files[name]}.new`, text)
        renameSync(`${files[name]}.new`, files[name])
      }
    }
    write(first)
    let now = 0
    const tls = new TlsFiles(files, logger, () => now)
    const listener = await listen(echo, { host: '127.0.0.1', port: 0, tls })
    open.push(listener)
    const ca = [first.ca, second.ca]
    const call = async (options: RequestOptions = {}) =>
      (await get(listener.port, { ca, agent: false, ...options })).fingerprint
    const kept = new Agent({ keepAlive: true, maxCachedSessions: 0, ca })

    const before = await call({ agent: kept })
    const calls: Promise<string>[] = []
    for (let n = 0; n < 40; n++) {
      if (n === 20) write(second)
      now += 100
      calls.push(call(), call({ agent: kept }))
      if (n % 5 === 0) await Promise.all(calls)
    }
    const fingerprints = new Set(await Promise.all(calls))
    now += 2_000
    const after = await call()
    kept.destroy()

    expect(after).not.toBe(before)
    expect(fingerprints).toEqual(new Set([before, after]))
    // A client that names no server gets the new one, too.
    expect(await call({ servername: '' })).toBe(after)
  })

  test('that do not belong together leave the last good pair in use', () => {
    const [first, second] = [pair(), pair()]
    const directory = folder()
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    writeFileSync(files.cert, first.cert)
    writeFileSync(files.key, first.key)
    let now = 0
    const tls = new TlsFiles(files, logger, () => now)
    logged.length = 0

    writeFileSync(files.cert, `${second.cert}\n`)
    now += 2_000
    expect(tls.current().cert).toBe(first.cert)
    expect(logged).toEqual([expect.stringMatching(/^error .*last good one/)])

    writeFileSync(files.key, `${second.key}\n`)
    now += 2_000
    expect(tls.current().cert).toBe(`${second.cert}\n`)
  })

  test('that cannot be used keep a server from starting, with the reason', () => {
    const [first, second] = [pair(), pair()]
    const directory = folder()
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    writeFileSync(files.cert, first.cert)
    writeFileSync(files.key, second.key)

    expect(() => new TlsFiles(files, logger)).toThrow(/MERLON_TLS_INVALID: .*the key does not belong to it/)
    expect(() => new TlsFiles({ ...files, key: files.cert }, logger)).toThrow('MERLON_TLS_INVALID')
    expect(() => new TlsFiles({ ...files, key: join(directory, 'none') }, logger)).toThrow('ENOENT')
  })
})

describe("An installation's own authority", () => {
  test('is kept over starts, its key for its owner alone', () => {
    const directory = folder()
    const [first, second] = [new OwnAuthority(directory, NAMES, logger), new OwnAuthority(directory, NAMES, logger)]

    expect(second.authorityPem).toBe(first.authorityPem)
    expect(second.current().cert).not.toBe(first.current().cert)
    expect(statSync(authorityFileOf(directory)).mode & 0o777).toBe(0o600)
    expect(statSync(authorityCertificateOf(directory)).mode & 0o777).toBe(0o644)
  })

  test('is replaced, and says so, for a name that it cannot sign for', () => {
    const directory = folder()
    const first = new OwnAuthority(directory, ['localhost', 'merlon.example'], logger)
    const below = new OwnAuthority(directory, ['localhost', 'console.merlon.example'], logger)
    logged.length = 0
    const other = new OwnAuthority(directory, ['other.example'], logger)

    expect(below.authorityPem).toBe(first.authorityPem)
    expect(other.authorityPem).not.toBe(first.authorityPem)
    expect(logged).toEqual([expect.stringMatching(/^warn a certificate authority was created/)])
  })

  test('renews the certificate of a server that runs for long', () => {
    let now = Date.now()
    const authority = new OwnAuthority(folder(), NAMES, logger, () => now)
    const first = authority.current()
    now += 39 * 24 * 60 * 60 * 1000
    expect(authority.current()).toBe(first)
    now += 2 * 24 * 60 * 60 * 1000
    expect(authority.current()).not.toBe(first)
  })
})

describe('HTTP/2', () => {
  const session = (listener: Listener, ca: string) => {
    const opened = connectHttp2(`https://localhost:${listener.port}`, { ca })
    opened.on('error', () => undefined)
    sockets.push(opened)
    return opened
  }
  const ask = (
    from: ReturnType<typeof session>,
    headers: Record<string, string>,
    body = '',
  ): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const stream = from.request(headers, { endStream: body === '' })
      let status = 0
      let text = ''
      stream.on('response', (answer) => (status = answer[':status'] ?? 0))
      stream.on('data', (chunk) => (text += chunk))
      stream.on('end', () => resolve([status, text]))
      stream.on('error', reject)
      if (body !== '') stream.end(body)
    })

  test('is spoken with clients that prefer it, and has the headers of HTTP/1.1', async () => {
    const { listener, ca } = await secured({ http2: true })
    seen.length = 0
    const client = session(listener, ca)

    expect(await ask(client, { ':path': '/a?b=c', ':method': 'POST', 'x-a': '1', cookie: 'a=1; b=2' }, 'body')).toEqual(
      [200, 'body'],
    )
    const [request] = seen
    expect(request).toMatchObject({
      method: 'POST',
      path: '/a',
      query: 'b=c',
      secure: true,
      tls: { version: 'TLSv1.3' },
    })
    expect(request!.rawHeaders.slice(0, 2)).toEqual(['host', `localhost:${listener.port}`])
    expect(request!.rawHeaders.filter((name) => name.startsWith(':'))).toEqual([])
    expect((await get(listener.port, { ca })).text).toBe('hello')
  })

  test('refuses a body that is too long', async () => {
    const { listener, ca } = await secured({ http2: true, bodyBytesMax: 1_000 })

    expect((await ask(session(listener, ca), { ':path': '/', ':method': 'POST' }, 'x'.repeat(1_001)))[0]).toBe(413)
  })

  test('ends a connection whose client resets one stream after the other', async () => {
    const { listener, ca } = await secured({ http2: true })
    const socket = await handshake(listener.port, { servername: 'localhost', ALPNProtocols: ['h2'] })
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
    const cancel = Buffer.from([0, 0, 0, http2.NGHTTP2_CANCEL])
    for (let n = 0; n < 400; n++) {
      socket.write(frame(HEADERS, END_HEADERS, 2 * n + 1, POST_ROOT))
      socket.write(frame(RST_STREAM, 0, 2 * n + 1, cancel))
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await closed

    // GOAWAY ends with its code.
    expect(errorsOf(Buffer.concat(received))).toEqual([http2.NGHTTP2_ENHANCE_YOUR_CALM])
    expect((await get(listener.port, { ca })).status).toBe(200)
  })

  test('is drained: what is being answered is answered', async () => {
    let letGo: () => void = () => undefined
    const begun = new Promise<void>((started) => {
      letGo = started
    })
    let finish: () => void = () => undefined
    const handler: Handler = async () => {
      letGo()
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return { status: 200, headers: {}, body: 'late' }
    }
    const tls = new OwnAuthority(folder(), NAMES, logger)
    const listener = await listen(handler, { host: '127.0.0.1', port: 0, tls, http2: true })
    const client = session(listener, tls.authorityPem)
    const answer = ask(client, { ':path': '/' })
    await begun
    const closing = listener.close()
    finish()

    expect(await answer).toEqual([200, 'late'])
    await closing
  })
})

const [HEADERS, RST_STREAM, SETTINGS, GOAWAY] = [1, 3, 4, 7]
const END_HEADERS = 4
/** RFC 7541: POST, https and / are in the static table; the authority is not. */
const POST_ROOT = Buffer.concat([Buffer.from([0x83, 0x87, 0x84, 0x41, 9]), Buffer.from('localhost')])

/** RFC 9113 §4.1. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** The codes of all GOAWAY frames. */
function errorsOf(bytes: Buffer): number[] {
  const codes: number[] = []
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === GOAWAY) codes.push(bytes.readUInt32BE(at + 13))
  return codes
}

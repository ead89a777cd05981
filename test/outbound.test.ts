/** The server's own requests to other hosts: certificates are real, and so is the address check. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { federationRequests, outbound, readHosts } from '../src/server/compose/outbound.ts'
import { temporaryFolder } from './process.ts'

let server: Server
let port: number

beforeAll(async () => {
  const folder = temporaryFolder()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=login.corp.test', '-addext', 'subjectAltName=DNS:login.corp.test']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  )
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    if (request.url === '/big') return void response.end('x'.repeat(300_000))
    if (request.url === '/away') return void response.writeHead(302, { location: 'https://169.254.169.254/' }).end()
    response.end('hello')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('The way out', () => {
  test.each([
    'https://127.0.0.1/',
    'https://localhost/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data/',
    'https://192.168.0.1/',
    'https://172.20.0.1/',
    'https://100.64.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0.0.0.0/',
  ])('does not lead to %s', async (url) => {
    await expect(outbound(new Map()).get(url)).rejects.toThrow(/has an address inside this network|ENOTFOUND|EAI_AGAIN/)
  })

  test.each(['http://example.com/', 'file:///etc/passwd', 'ftp://example.com/', 'nonsense'])(
    'is not for %s',
    async (url) => {
      await expect(outbound(new Map()).get(url)).rejects.toThrow(/no https address|Invalid URL/)
    },
  )

  test('leads to a host the operator has named, and still wants its certificate', async () => {
    const hosts = readHosts(`login.corp.test=127.0.0.1:${port}`)

    // No trusted authority has signed that certificate.
    expect(rootCertificates.length).toBeGreaterThan(0)
    await expect(outbound(hosts).get('https://login.corp.test/')).rejects.toThrow(/self-signed certificate/)
  })
})

describe('A thumbprint', () => {
  const folder = temporaryFolder()
  const file = (name: string) => join(folder, name)
  const openssl = (...words: readonly string[]) =>
    execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const thumbprintOf = (name: string) =>
    openssl('x509', '-in', file(`${name}.pem`), '-noout', '-fingerprint', '-sha1')
      .toString()
      .split('=')[1]!
      .trim()
      .replaceAll(':', '')
  const servers: Server[] = []
  afterAll(() => {
    for (const each of servers) each.close().closeAllConnections()
  })

  /** `NAME.pem` and `NAME.key`, signed by another one or self-signed. */
  function certificate(name: string, extensions: string, issuer?: string): void {
    const subject = ['-new', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`)]
    openssl('req', ...subject, '-out', file(`${name}.csr`))
    writeFileSync(file('ext'), extensions)
    const by = issuer
      ? ['-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`), '-CAcreateserial']
      : ['-signkey', file(`${name}.key`)]
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      file(`${name}.csr`),
      '-extfile',
      file('ext'),
      ...by,
      '-out',
      file(`${name}.pem`),
    )
  }

  /** A request to a server that presents these certificates, the first one its own. */
  async function get(chain: readonly string[], thumbprints: readonly string[], host = 'login.corp.test') {
    const cert = chain.map((name) => readFileSync(file(`${name}.pem`), 'utf8')).join('')
    const https = createServer({ key: readFileSync(file(`${chain[0]}.key`)), cert }, (_request, response) => {
      response.end('keys')
    }).listen(0, '127.0.0.1')
    servers.push(https)
    await once(https, 'listening')
    const hosts = readHosts(`${host}=127.0.0.1:${(https.address() as AddressInfo).port}`)
    return (await outbound(hosts).get(`https://${host}/`, thumbprints)).body
  }

  beforeAll(() => {
    const authority = 'basicConstraints=critical,CA:TRUE'
    const name = 'subjectAltName=DNS:login.corp.test'
    certificate('root', authority)
    certificate('intermediate', authority, 'root')
    certificate('leaf', name, 'intermediate')
    certificate('evil-root', authority)
    certificate('evil', name, 'evil-root')
    certificate('alone', name)
  })

  test('vouches for a chain without a trusted authority: of its top certificate, signed by itself or not', async () => {
    expect(await get(['leaf', 'intermediate', 'root'], ['0'.repeat(40), thumbprintOf('root')])).toBe('keys')
    expect(await get(['leaf', 'intermediate'], [thumbprintOf('intermediate').toLowerCase()])).toBe('keys')
    expect(await get(['alone'], [thumbprintOf('alone')])).toBe('keys')
  })

  test('of another certificate, of one that did not sign, or for another name, does not', async () => {
    const mismatch = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
    await expect(get(['leaf', 'intermediate'], [thumbprintOf('evil-root')])).rejects.toThrow(mismatch)
    // Not the top one: AWS documents the last certificate of the chain.
    await expect(get(['leaf', 'intermediate'], [thumbprintOf('leaf')])).rejects.toThrow(mismatch)
    // A server in the middle presents the certificate that is pinned, which is public, above its own.
    await expect(get(['evil', 'intermediate'], [thumbprintOf('intermediate')])).rejects.toThrow(mismatch)
    await expect(get(['evil', 'evil-root', 'root'], [thumbprintOf('root')])).rejects.toThrow(mismatch)
    await expect(get(['alone'], [thumbprintOf('alone')], 'other.corp.test')).rejects.toThrow(/altnames/)
    await expect(get(['alone'], [])).rejects.toThrow('self-signed certificate')
  })
})

describe('The list of hosts', () => {
  test('may be empty, and may name several', () => {
    expect(readHosts(undefined).size).toBe(0)
    expect([...readHosts('a.test=127.0.0.1:1, B.test=::1:443')]).toEqual([
      ['a.test', { address: '127.0.0.1', port: 1 }],
      ['b.test', { address: '::1', port: 443 }],
    ])
  })

  test.each(['a.test', 'a.test=127.0.0.1', 'a.test=elsewhere:1', '=127.0.0.1:1'])('that says %s is refused', (text) => {
    expect(() => readHosts(text)).toThrow('MERLON_FEDERATION_HOSTS')
  })
})

describe('Requests to identity providers', () => {
  test('are guarded like all others, and plain HTTP is for listed loopback hosts alone', async () => {
    const { send } = federationRequests(readHosts('social.test=127.0.0.1:1,inside.test=10.0.0.1:80'))

    for (const url of ['http://example.com/', 'http://inside.test/', 'http://127.0.0.1/', 'http://localhost/'])
      await expect(send({ method: 'GET', url })).rejects.toThrow('is no https address')
    for (const url of ['https://127.0.0.1/', 'https://169.254.169.254/'])
      await expect(send({ method: 'POST', url, form: { a: 'b' } })).rejects.toThrow(
        'has an address inside this network',
      )
    await expect(send({ method: 'GET', url: 'http://social.test/' })).rejects.toThrow('ECONNREFUSED')
  })

  test('carry a form and headers to a listed imitation', async () => {
    const { createServer: createPlain } = await import('node:http')
    const plain = createPlain((request, response) => {
      request.setEncoding('utf8').on('data', (body: string) => {
        response.end(`${request.method} ${request.headers.host} ${request.headers.authorization} ${body}`)
      })
    }).listen(0, '127.0.0.1')
    await once(plain, 'listening')
    const { port: at } = plain.address() as AddressInfo
    const { send } = federationRequests(readHosts(`social.test=127.0.0.1:${at}`))

    const answer = await send({
      method: 'POST',
      url: 'http://social.test/token',
      headers: { authorization: 'Basic x' },
      form: { code: 'a&b' },
    })

    expect(answer).toMatchObject({ status: 200, body: 'POST social.test Basic x code=a%26b' })
    plain.close()
  })
})

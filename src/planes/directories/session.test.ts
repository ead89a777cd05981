/** Binds: which answers of a server are refusals, and which mean that it cannot be used. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LdapSession } from './session.ts'

let server: Server
let ca: string
let code = 0

/** RFC 4511 §4.2.2: the answer to a bind, with the identifier of the request and a result code. */
const bindAnswer = (messageId: number): Buffer =>
  Buffer.from([0x30, 0x0c, 0x02, 0x01, messageId, 0x61, 0x07, 0x0a, 0x01, code, 0x04, 0x00, 0x04, 0x00])

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-ldap-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const name = ['-subj', '/CN=ldap.corp.test', '-addext', 'subjectAltName=DNS:ldap.corp.test']
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...name]
  execFileSync('openssl', words, { stdio: 'ignore' })
  ca = readFileSync(cert, 'utf8')
  server = createServer({ key: readFileSync(key), cert: ca }, (socket) => {
    socket.on('error', () => undefined)
    // A message begins with a sequence and the identifier; a bind (0x60) follows it.
    socket.on('data', (bytes) => {
      const at = bytes.indexOf(Buffer.from([0x02, 0x01]))
      if (bytes[at + 3] === 0x60) socket.write(bindAnswer(bytes[at + 2]!))
    })
  })
  rmSync(folder, { recursive: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server.close())

async function bind(result: number): Promise<string | undefined> {
  code = result
  const hosts = new Map([['ldap.corp.test', { address: '127.0.0.1', port: (server.address() as AddressInfo).port }]])
  const session = await LdapSession.open(
    { url: 'ldaps://ldap.corp.test', host: 'ldap.corp.test', isStartTls: false },
    { ca, hosts },
  )
  try {
    return await session.bind('cn=ann', 'Passw0rd')
  } finally {
    await session.close()
  }
}

test.each([
  ['accepted', 0, false],
  ['no such entry', 32, true],
  ['a name that is none', 34, true],
  ['an entry without a password', 48, true],
  ['a wrong password', 49, true],
  ['no access', 50, true],
  ['an inactive account', 53, true],
  ['a locked account', 19, true],
])('%s (%i)', async (_what, result, isRefused) => {
  expect((await bind(result)) !== undefined).toBe(isRefused)
})

test.each([
  ['busy', 51],
  ['unavailable', 52],
  ['a wish for more protection', 13],
])('a server that answers "%s" (%i) cannot be used', async (_what, result) => {
  await expect(bind(result)).rejects.toThrow()
})

/** Certificates of custom domains by the requested name, over real handshakes with a listener. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { UsableCertificate } from '../../kernel/ports/certificates.ts'
import { selfSigned } from '../../services/acm/acm.fixture.ts'
import { DomainTls } from './domain-tls.ts'
import { listen } from './listener.ts'
import { tlsIdentity } from './tls.ts'

async function usable(name: string, serial: string): Promise<UsableCertificate> {
  const { Certificate, PrivateKey } = await selfSigned([name])
  return { chain: String(Certificate), privateKey: String(PrivateKey), serial, notAfter: 0, inUseBy: [] }
}

async function domains() {
  const own = await usable('localhost', '0')
  const identity = tlsIdentity(own.chain, own.privateKey)
  const stored = new Map<string, UsableCertificate>()
  const state = { now: 0, isDown: false }
  const reads: string[] = []
  const source = new DomainTls({
    own: { current: () => identity },
    read: async (name) => {
      reads.push(name)
      if (state.isDown) throw new Error('the database is away')
      return stored.get(name)
    },
    logger: { log: () => undefined } as never,
    now: () => state.now,
  })
  return { source, own, stored, state, reads }
}

describe('A custom domain', () => {
  test('is served with its certificate, and the renewed one, while open connections stay open', async () => {
    const { source, own, stored, state } = await domains()
    const answer = async () => ({ status: 200, headers: {}, body: 'hello' })
    const listener = await listen(answer, { host: '127.0.0.1', port: 0, tls: source })
    const sockets: TLSSocket[] = []
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      return listener.close()
    })
    const handshake = async (servername: string) => {
      const { port } = listener
      const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      sockets.push(socket)
      return socket.getPeerX509Certificate()!.toString()
    }
    const login = await usable('login.corp.test', '1')
    stored.set('login.corp.test', login)

    expect(await handshake('login.corp.test')).toBe(login.chain)
    expect(await handshake('localhost')).toBe(own.chain)
    await expect(handshake('other.corp.test')).rejects.toThrow()
    const renewed = await usable('login.corp.test', '2')
    stored.set('login.corp.test', renewed)
    state.now += 5_000
    // This one has the renewed certificate read.
    expect(await handshake('login.corp.test')).toBe(login.chain)
    expect(await handshake('login.corp.test')).toBe(renewed.chain)
    expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true)
  })

  test('that got a certificate, or lost it, is looked at again after five seconds; the last good one stays through a failure', async () => {
    const { source, stored, state } = await domains()
    expect(await source.named('login.corp.test')).toBeUndefined()
    stored.set('login.corp.test', await usable('login.corp.test', '1'))
    expect(await source.named('login.corp.test')).toBeUndefined()
    state.now += 5_000
    expect(await source.named('LOGIN.corp.test')).toBeDefined()

    state.isDown = true
    state.now += 5_000
    for (let turn = 0; turn < 3; turn++) expect(await source.named('login.corp.test')).toBeDefined()
    state.isDown = false
    stored.clear()
    state.now += 5_000
    await source.named('login.corp.test')
    await new Promise(setImmediate)
    expect(await source.named('login.corp.test')).toBeUndefined()
  })

  test('costs a hundred reads a second for invented names, and no room of those that are served', async () => {
    const { source, stored, state, reads } = await domains()
    stored.set('login.corp.test', await usable('login.corp.test', '1'))
    await source.named('login.corp.test')
    for (let at = 0; at < 1_000; at++) await source.named(`n${at}.corp.test`)
    expect(reads).toHaveLength(100)
    for (let second = 1; second <= 20; second++) {
      state.now = second * 1_000
      for (let at = 0; at < 100; at++) await source.named(`n${second}-${at}.corp.test`)
    }
    for (const name of ['', 'a', '..', '10.0.0.1', `${'x'.repeat(300)}.test`, 'a_b.test'])
      expect(await source.named(name)).toBeUndefined()
    const before = reads.length
    expect(await source.named('login.corp.test')).toBeDefined()
    await new Promise(setImmediate)
    expect(reads.slice(before)).toEqual(['login.corp.test'])
  })
})

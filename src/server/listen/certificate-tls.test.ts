/** The server's certificate out of ACM, over real handshakes. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import type { UsableCertificate } from '../../kernel/ports/certificates.ts'
import { selfSigned } from '../../services/acm/acm.fixture.ts'
import { CertificateTls } from './certificate-tls.ts'
import { tlsIdentity } from './tls.ts'

async function usable(serial: string): Promise<UsableCertificate> {
  const { Certificate, PrivateKey } = await selfSigned(['localhost'])
  return { chain: String(Certificate), privateKey: String(PrivateKey), serial, notAfter: 0, inUseBy: [] }
}

test('A renewed certificate is served to the next handshake, and the connection that is open stays open', async () => {
  const own = await selfSigned(['localhost'])
  const fallback = tlsIdentity(String(own.Certificate), String(own.PrivateKey))
  let now = 0
  let stored: UsableCertificate | undefined
  const source = new CertificateTls({
    arn: 'arn',
    fallback: { current: () => fallback },
    read: async () => stored,
    logger: { log: () => undefined } as never,
    now: () => now,
  })
  const server = createServer({
    cert: fallback.cert,
    key: fallback.key,
    SNICallback: (_name, done) => done(null, source.current().context),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: TLSSocket[] = []
  const handshake = async () => {
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
    sockets.push(socket)
    await once(socket, 'secureConnect')
    return socket.getPeerX509Certificate()!.toString()
  }

  expect(await handshake()).toBe(fallback.cert)
  stored = await usable('1')
  await source.refresh()
  expect(await handshake()).toBe(stored.chain)
  stored = await usable('2')
  now += 5_000
  // This one still gets the old certificate, and has the new one read.
  await handshake()
  await expect.poll(handshake, { timeout: 20_000 }).toBe(stored.chain)
  stored = undefined
  await source.refresh()
  expect(source.current().cert).not.toBe(fallback.cert)
  expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true)
  for (const socket of sockets) socket.destroy()
  server.close()
})

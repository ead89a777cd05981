/** ACME clients that others wrote against an endpoint of the built server, with external account bindings. */
import { X509Certificate } from 'node:crypto'
import { ACMClient, RevokeCertificateCommand, SearchCertificatesCommand } from '@aws-sdk/client-acm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { installation, type Running, startMerlon } from '../process.ts'
import { programs } from './acme-clients.ts'
import { type AcmeEndpoint, acmeEndpoint } from './acme-endpoint.ts'
import { apacheMd, hasApacheMd } from './apache-md.ts'

let server: Running
let endpoint: AcmeEndpoint
beforeAll(async () => {
  server = await startMerlon(installation())
  endpoint = await acmeEndpoint(server, 'corp.test')
})
afterAll(async () => void (await server?.stop('SIGKILL')))

describe.each(programs.filter(({ isInstalled }) => isInstalled))('$name', ({ client }) => {
  test('obtains and renews with a binding; once that is revoked it is refused', async () => {
    const { url } = endpoint
    const binding = await endpoint.binding()
    const mine = client({ url, domain: 'www.corp.test', binding })
    const first = await mine.obtain()
    expect(first.isDone, first.text).toBe(true)
    const before = new X509Certificate(mine.certificate())
    expect(before.checkHost('www.corp.test')).toBe('www.corp.test')
    const second = await mine.renew()
    expect(second.isDone, second.text).toBe(true)
    expect(new X509Certificate(mine.certificate()).serialNumber).not.toBe(before.serialNumber)

    await binding.revoke()
    for (const refused of [await mine.renew(), await client({ url, domain: 'www.corp.test', binding }).obtain()]) {
      expect(refused.isDone).toBe(false)
      expect(refused.text).toMatch(/revoked or expired/)
    }
  })

  test.each([
    ['whose role has no permission', 'none', 'www.corp.test', /acm:RequestCertificate/],
    ['whose role may request other names only', 'web', 'mail.corp.test', /acm:RequestCertificate/],
    ['for a domain that is not proved', 'web', 'www.other.test', /no valid domain validation/],
  ])('is refused %s', async (_what, role, domain, why) => {
    const { url } = endpoint
    const refused = await client({ url, domain, binding: await endpoint.binding(role) }).obtain()

    expect(refused.isDone).toBe(false)
    expect(refused.text).toMatch(why)
  })
})

describe.skipIf(!hasApacheMd)('Apache with mod_md', () => {
  test('obtains with a binding, and renews when renewal information says that the certificate was revoked', async () => {
    const apache = await apacheMd(endpoint.url, 'api.corp.test', await endpoint.binding())
    onTestFinished(apache.stop)
    const waiting = { timeout: 60_000, interval: 500 }
    const staged = () => expect(apache.isStaged(), apache.log()).toBe(true)
    await vi.waitFor(staged, waiting)
    apache.restart()
    const acm = new ACMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.accounts[0]! })
    const { Results } = await acm.send(new SearchCertificatesCommand({}))
    const issued = Results!.filter(({ X509Attributes }) => X509Attributes?.Subject?.CommonName === 'api.corp.test')
    expect(issued).toHaveLength(1)
    const serial = issued[0]!.X509Attributes!.SerialNumber!.replaceAll(':', '').toUpperCase()
    await vi.waitFor(async () => expect(await apache.servedSerial()).toBe(serial), waiting)

    const { CertificateArn } = issued[0]!
    await acm.send(new RevokeCertificateCommand({ CertificateArn, RevocationReason: 'SUPERSEDED' }))
    // The information is read when the server starts, and every six hours after that.
    apache.restart()
    await vi.waitFor(staged, waiting)
    expect(apache.log()).toMatch(/CA advises renew via ARI/)
    apache.restart()
    await vi.waitFor(async () => expect(await apache.servedSerial()).not.toBe(serial), waiting)
  })
})

/** What a scrape shows of certificates and status answers. */
import { describe, expect, test } from 'vitest'
import { certificates } from '../../kernel/ports/certificates.ts'
import { certificatesCloud, DAY_MS } from './acm.fixture.ts'

async function scraped(it: Awaited<ReturnType<typeof certificatesCloud>>) {
  const lines = await it.metrics()
  return lines.filter((line) => line.startsWith('merlon_certificate'))
}

describe('A scrape', () => {
  test('has no lines before there is a certificate, then certificates by state and the ends of those in use', async () => {
    const it = await certificatesCloud()
    expect(await scraped(it)).toEqual([])

    const [used, unused] = [await it.request('www.corp.test'), await it.request('api.corp.test')]
    await it.request('waiting.corp.test')
    for (const arn of [used, unused]) await it.prove(arn)
    await it.store.run((unit) => it.use(certificates).setUse(unit, used, 'arn:aws:merlon:::listeners', true))
    // The count before is reused for a minute.
    await it.pass(30_000)
    expect(await scraped(it)).toEqual([])
    await it.pass(30_000)
    expect(await scraped(it)).toEqual([
      'merlon_certificates{state="ISSUED"} 2',
      'merlon_certificates{state="PENDING_VALIDATION"} 1',
      `merlon_certificate_expiry_days{arn="${used}"} 197`,
    ])
    for (let day = 0; day < 3; day++) await it.pass(DAY_MS)
    expect(await scraped(it)).toContain('merlon_certificates{state="VALIDATION_TIMED_OUT"} 1')
  })

  test('counts status answers by what they said', async () => {
    const it = await certificatesCloud()
    const request = {
      ...{ method: 'POST', path: `/acm/ocsp/${'0'.repeat(32)}`, query: '', remoteAddress: '127.0.0.1', secure: false },
      rawHeaders: ['host', 'localhost', 'content-type', 'application/ocsp-request'],
      body: Buffer.from('3000', 'hex'),
    }
    const path = `/acm-pca/ocsp/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`
    for (const each of [request, { ...request, path }, { ...request, path }])
      expect((await it.handle(each)).status).toBe(200)

    expect(await scraped(it)).toEqual([
      'merlon_certificate_status_answers_total{service="acm",result="unauthorized"} 1',
      'merlon_certificate_status_answers_total{service="acm-pca",result="unauthorized"} 2',
    ])
  })
})

/** Certificates whose domains a person approves: by mail in memory, and by a real SMTP server. */
import type { AddressInfo } from 'node:net'
import { ResendValidationEmailCommand } from '@aws-sdk/client-acm'
import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import type { Mail } from '../../kernel/ports/mail.ts'
import { readMailTransport } from '../../planes/mailer/mailer.ts'
import { certificatesCloud, HOUR_MS } from './acm.fixture.ts'

/** Takes every message, and returns them as they came. */
async function smtpSink() {
  const mails: Pick<Mail, 'to' | 'text'>[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        // Quoted-printable (RFC 2045 §6.7).
        const text = Buffer.concat(chunks).toString().replace(/=\r\n/g, '').replaceAll('=3D', '=')
        mails.push({ to: envelope.rcptTo.map(({ address }) => address).join(), text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.server.address() as AddressInfo
  return { mails, mailer: readMailTransport(`smtp://127.0.0.1:${port}?from=acm@corp.test`) }
}

describe('A certificate proved by mail', () => {
  const page = (
    it: Awaited<ReturnType<typeof certificatesCloud>>,
    method: string,
    path: string,
    body = '',
    cookie = '',
  ) =>
    it.handle({
      method,
      path,
      query: '',
      rawHeaders: [
        ...['host', 'localhost', 'origin', 'http://localhost', 'sec-fetch-site', 'same-origin'],
        ...(method === 'POST' ? ['content-type', 'application/x-www-form-urlencoded'] : []),
        ...(cookie ? ['cookie', cookie] : []),
      ],
      body: Buffer.from(body),
      remoteAddress: '127.0.0.1',
      secure: false,
    })
  const linkIn = (text: string) => /http:\/\/localhost(\/acm\/approve\/[\w-]{43})/.exec(text)![1]!

  async function decide(it: Awaited<ReturnType<typeof certificatesCloud>>, link: string, decision: string) {
    const shown = await page(it, 'GET', link)
    const csrf = /name="csrf" value="([^"]+)"/.exec(String(shown.body))?.[1] ?? ''
    const cookie = String(shown.headers['set-cookie'] ?? '').split(';')[0]!
    const body = new URLSearchParams({ csrf, decision }).toString()
    return { shown, answer: await page(it, 'POST', link, body, cookie) }
  }

  test('is issued when a person approves, not when the link is opened, and the link is spent', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('www.corp.test', {
      ValidationMethod: 'EMAIL',
      DomainValidationOptions: [{ DomainName: 'www.corp.test', ValidationDomain: 'corp.test' }],
    })
    await it.pass(1_000)

    expect(it.mails.map(({ to }) => to).sort()).toEqual(
      ['admin', 'administrator', 'hostmaster', 'postmaster', 'webmaster'].map((name) => `${name}@corp.test`),
    )
    const [option] = (await it.describe(arn)).DomainValidationOptions!
    expect(option).toMatchObject({ ValidationDomain: 'corp.test', ValidationMethod: 'EMAIL' })
    expect(option!.ResourceRecord).toBeUndefined()
    const link = linkIn(it.mails[2]!.text)
    expect(String((await page(it, 'GET', link)).body)).toContain('Approve a certificate?')
    expect((await page(it, 'POST', link, 'decision=approve')).status).toBe(403)
    await it.pass(10_000)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')

    const { answer } = await decide(it, link, 'approve')
    expect([answer.status, String(answer.body)]).toEqual([200, expect.stringContaining('is approved')])
    await it.pass(10_000)
    expect((await it.describe(arn)).Status).toBe('ISSUED')
    expect((await page(it, 'GET', link)).status).toBe(410)
    const [approved] = await it.events('ApproveCertificate')
    expect(approved.additionalEventData.domainName).toBe('www.corp.test')
  })

  test('gets five messages through an SMTP server, and five more when they are sent again; one link is enough', async () => {
    const { mails, mailer } = await smtpSink()
    const it = await certificatesCloud({ mailer })
    const arn = await it.request('corp.test', { ValidationMethod: 'EMAIL' })
    await it.pass(1_000)
    expect(mails.map(({ to }) => to).sort()).toEqual(
      ['admin', 'administrator', 'hostmaster', 'postmaster', 'webmaster'].map((name) => `${name}@corp.test`),
    )
    expect(new Set(mails.map(({ text }) => linkIn(text))).size).toBe(5)
    const again = new ResendValidationEmailCommand({
      CertificateArn: arn,
      Domain: 'corp.test',
      ValidationDomain: 'corp.test',
    })
    await it.acm.send(again)
    await it.pass(2_000)
    expect(mails).toHaveLength(10)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')

    await decide(it, linkIn(mails[9]!.text), 'approve')
    await it.pass(10_000)
    expect((await it.describe(arn)).Status).toBe('ISSUED')
  })

  test('fails when a person denies; mails are sent again on request; links die after 72 hours', async () => {
    const it = await certificatesCloud()
    const denied = await it.request('a.test', { ValidationMethod: 'EMAIL' })
    const late = await it.request('b.test', { ValidationMethod: 'EMAIL' })
    await it.pass(1_000)
    await it.acm.send(
      new ResendValidationEmailCommand({ CertificateArn: late, Domain: 'b.test', ValidationDomain: 'b.test' }),
    )
    await it.pass(2_000)

    expect(it.mails.filter(({ to }) => to.endsWith('@b.test'))).toHaveLength(10)
    await decide(it, linkIn(it.mails.find(({ to }) => to === 'admin@a.test')!.text), 'deny')
    await it.pass(10_000)
    expect(await it.describe(denied)).toMatchObject({ Status: 'FAILED', FailureReason: 'DOMAIN_VALIDATION_DENIED' })
    for (let hour = 0; hour < 73; hour++) await it.pass(HOUR_MS)
    expect((await it.describe(late)).Status).toBe('VALIDATION_TIMED_OUT')
    expect((await page(it, 'GET', linkIn(it.mails.at(-1)!.text))).status).toBe(410)
  })

  test('needs the record, too, where the account demands both', async () => {
    vi.stubEnv('MERLON_CERTIFICATES_NEED_BOTH', ACCOUNT)
    try {
      const it = await certificatesCloud()
      const byMail = await it.request('a.test', { ValidationMethod: 'EMAIL' })
      const byDns = await it.request('b.test')
      await it.pass(1_000)
      await it.prove(byDns)
      await decide(it, linkIn(it.mails.find(({ to }) => to === 'admin@a.test')!.text), 'approve')
      await it.pass(10_000)

      expect([(await it.describe(byMail)).Status, (await it.describe(byDns)).Status]).toEqual([
        'PENDING_VALIDATION',
        'PENDING_VALIDATION',
      ])
      await it.prove(byMail)
      await decide(it, linkIn(it.mails.find(({ to }) => to === 'admin@b.test')!.text), 'approve')
      await it.pass(10_000)
      expect([(await it.describe(byMail)).Status, (await it.describe(byDns)).Status]).toEqual(['ISSUED', 'ISSUED'])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

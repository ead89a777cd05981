/** Mail through a real SMTP server and into a directory. */
import { mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import type { Mail } from '../../kernel/ports/mail.ts'
import { readMailTransport } from './mailer.ts'
import { memoryMailer } from './memory.ts'
import { readSpool } from './spool.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const letter: Mail = { account: '111122223333', to: 'ann@corp.test', subject: 'Your code', text: 'It is 493027.' }

async function smtp({ refusing = false, startTls = false } = {}) {
  const received: { readonly user: string | undefined; readonly to: readonly string[]; readonly text: string }[] = []
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    ...(!startTls && { disabledCommands: ['STARTTLS'] }),
    onAuth: ({ username, password }, _session, done) =>
      password === 'secret' ? done(null, { user: username ?? '' }) : done(new Error('Invalid user name or password')),
    onRcptTo: (_address, _session, done) => (refusing ? done(new Error('no such mailbox')) : done()),
    onData: (stream, { user, envelope }, done) => {
      const chunks: Buffer[] = []
      stream
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          received.push({ user: user as string | undefined, to: envelope.rcptTo.map(({ address }) => address), text })
          done()
        })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise<void>((resolve) => server.close(resolve)))
  return { received, port: (server.server.address() as AddressInfo).port }
}

test('a message is sent over SMTP, signed in, under a Message-ID that follows from its key', async () => {
  const { received, port } = await smtp()
  const transport = readMailTransport(`smtp://merlon:secret@127.0.0.1:${port}?from=merlon@corp.test`)
  await transport.deliver(letter, 'signup/1')
  await transport.deliver(letter, 'signup/1')

  expect(received).toHaveLength(2)
  expect(received[0]).toMatchObject({ user: 'merlon', to: ['ann@corp.test'] })
  expect(received[0]!.text).toContain('Subject: Your code')
  const ids = received.map(({ text }) => /^Message-ID: (.*)$/m.exec(text)?.[1])
  expect(ids[0]).toMatch(/^<[0-9a-f]{32}@corp\.test>$/)
  expect(ids[1]).toBe(ids[0])
})

test('what the server refuses is an error', async () => {
  const { port } = await smtp({ refusing: true })
  await expect(readMailTransport(`smtp://127.0.0.1:${port}`).deliver(letter, '1')).rejects.toThrow('no such mailbox')
  const wrong = readMailTransport(`smtp://merlon:wrong@127.0.0.1:${port}`)
  await expect(wrong.deliver(letter, '1')).rejects.toThrow('Invalid')
})

test('TLS is verified where it is offered, and may be required', async () => {
  const offered = await smtp({ startTls: true })
  await expect(readMailTransport(`smtp://127.0.0.1:${offered.port}`).deliver(letter, '1')).rejects.toThrow(
    'certificate',
  )
  const plain = await smtp()
  const required = readMailTransport(`smtp://127.0.0.1:${plain.port}?tls=required`)
  await expect(required.deliver(letter, '1')).rejects.toThrow()
  await readMailTransport(`smtp://127.0.0.1:${offered.port}?tls=none`).deliver(letter, '1')

  expect(plain.received).toHaveLength(0)
  expect(offered.received).toHaveLength(1)
})

test('an address cannot add headers or recipients', async () => {
  const { received, port } = await smtp()
  const transport = readMailTransport(`smtp://127.0.0.1:${port}`)
  const to = 'ann@corp.test>\r\nBcc: eve@corp.test\r\nX: <x@corp.test'
  await transport.deliver({ ...letter, to, subject: 'a\r\nBcc: eve@corp.test' }, '1').catch(() => undefined)

  for (const { to: recipients, text } of received) {
    expect(recipients).not.toContain('eve@corp.test')
    expect(text).not.toMatch(/^Bcc:/m)
  }
})

test('a message is written to a directory once', async () => {
  const directory = join(await mkdtemp(join(tmpdir(), 'mail-')), 'spool')
  const transport = readMailTransport(`file://${directory}`)
  await transport.deliver(letter, '1')
  await transport.deliver({ ...letter, text: 'Again.' }, '1')
  await transport.deliver(letter, '2')

  const files = await readdir(directory)
  expect(files.filter((name) => name.endsWith('.eml'))).toHaveLength(2)
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')))
  expect(texts.filter((text) => text.includes('Again.'))).toHaveLength(1)
})

test('a spool is read as it was written, oldest first, without what is no message', async () => {
  const directory = join(await mkdtemp(join(tmpdir(), 'mail-')), 'spool')
  const transport = readMailTransport(`file://${directory}`)
  await transport.deliver({ ...letter, subject: 'Zugangscode für Änn', text: 'Es ist 493027.\n\nGrüße' }, '1')
  await transport.deliver({ ...letter, to: 'bob@corp.test', html: '<p>It is <b>1</b>.</p>' }, '2')
  await utimes(join(directory, `${(await readdir(directory)).sort()[0]}`), 1, 1)
  await writeFile(join(directory, 'notes.txt'), 'no message')
  await writeFile(join(directory, 'large.eml'), 'x'.repeat(1024 * 1024 + 1))

  const found = await readSpool(directory)
  expect(found.map(({ at }) => at)[0]).toBe(1_000)
  const byTo = Object.fromEntries(found.map(({ to, subject, text }) => [to, { subject, text: text.trim() }]))
  expect(byTo).toEqual({
    'ann@corp.test': { subject: 'Zugangscode für Änn', text: 'Es ist 493027.\n\nGrüße' },
    'bob@corp.test': { subject: 'Your code', text: 'It is 493027.' },
  })
})

test('memory keeps the last thousand messages', async () => {
  const mailer = memoryMailer()
  for (let n = 0; n < 1_001; n++) await mailer.deliver(letter, String(n))

  expect(mailer.delivered()).toHaveLength(1_000)
  expect(mailer.delivered()[0]).toMatchObject({ key: '1', to: 'ann@corp.test' })
})

test.each(['', 'mail.corp.test', 'http://mail.corp.test', 'smtp:///'])('%j is not a transport', (text) => {
  expect(() => readMailTransport(text)).toThrow('smtp://')
})

test('names of transports and errors carry no password', () => {
  expect(readMailTransport('smtps://merlon:secret@mail.corp.test').name).toBe('smtps://mail.corp.test')
  expect(() => readMailTransport('imap://merlon:secret@mail.corp.test')).toThrow(/^(?!.*secret)/)
})

/** The outbox through a real store, vault and job runner. */
import { describe, expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'
import { under } from '../../store/store.ts'
import { type Mail, type MailPort, mail } from '../ports/mail.ts'
import { provide } from '../ports/port.ts'
import { deadLetters, mailbox, OutboxQuotaError } from './outbox.ts'

const HOUR_MS = 3_600_000
const CODE = '493027'
const letter: Mail = { account: ACCOUNT, to: 'ann@corp.test', subject: 'Your code', text: `Your code is ${CODE}` }

async function posting(deliver: MailPort['deliver'], quotas: Readonly<Record<string, number>> = {}) {
  const opened = await cloud({ provides: [provide(mail, { deliver })] })
  const { store, vault, clock } = opened
  const send = (key: string, message: Mail = letter, fails = false) =>
    store.run(async (unit) => {
      await mailbox.send({ unit, vault, quotas, now: clock.now() }, key, message)
      if (fails) throw new Error('the operation fails')
    })
  return { ...opened, send }
}

describe('A message', () => {
  test('is delivered under its key until the transport accepts it, and then no more', async () => {
    const attempts: string[] = []
    const { send, pass } = await posting(async ({ text }, key) => {
      attempts.push(`${key} ${text}`)
      if (attempts.length < 3) throw new Error('the transport is away')
    })

    await send('signup/1')
    for (let hour = 0; hour < 5; hour++) await pass(HOUR_MS)

    expect(attempts).toEqual(Array(3).fill(`signup/1 Your code is ${CODE}`))
  })

  test('is not sent when the transaction that queued it fails', async () => {
    const sent: string[] = []
    const { send, pass } = await posting(async (_message, key) => void sent.push(key))

    await expect(send('signup/1', letter, true)).rejects.toThrow('the operation fails')
    await pass(HOUR_MS)
    expect(sent).toEqual([])
  })

  test('is sealed while it waits', async () => {
    const { send, store } = await posting(async () => undefined)
    await send('signup/1')

    const rows = JSON.stringify(await store.reader.range(under('kernel')))
    expect(rows).toContain('signup/1')
    expect(rows).not.toContain(CODE)
    expect(rows).not.toContain('ann@corp.test')
  })

  test('that cannot be delivered becomes a dead letter with an event, and frees what it held', async () => {
    let attempts = 0
    const { send, pass, store } = await posting(async () => {
      attempts++
      throw new Error('550 no such mailbox')
    })
    await send('signup/1')
    for (let hour = 0; hour < 20; hour++) await pass(HOUR_MS)

    expect(attempts).toBe(16)
    expect(await deadLetters(store.reader, 'mail', ACCOUNT)).toMatchObject([
      { key: 'signup/1', attempts: 16, error: '550 no such mailbox' },
    ])
    const events = await store.log({ account: ACCOUNT, limit: 10 })
    expect(events.filter(({ body }) => body.includes('MessageUndeliverable'))).toHaveLength(1)
    expect(await store.reader.range(under('kernel', 'job'))).toEqual([])
  })
})

describe('The quotas of a day', () => {
  test('limit what an account sends, and what one recipient receives in whatever case', async () => {
    const { send, pass } = await posting(async () => undefined, { 'mail/AccountPerDay': 3, 'mail/RecipientPerDay': 1 })

    await send('1')
    await expect(send('2', { ...letter, to: 'ANN@corp.test' })).rejects.toThrow(OutboxQuotaError)
    await send('3', { ...letter, to: 'bob@corp.test' })
    await send('4', { ...letter, to: 'cid@corp.test' })
    await expect(send('5', { ...letter, to: 'dan@corp.test' })).rejects.toThrow(OutboxQuotaError)
    await pass(24 * HOUR_MS)
    await send('6')
  })

  test('keep no recipients of the days before', async () => {
    const { send, pass, store } = await posting(async () => undefined)
    const recipients = () => store.reader.range(under('kernel', 'outbox-recipient'))
    await send('1')
    await send('2', { ...letter, to: 'bob@corp.test' })
    expect(await recipients()).toHaveLength(2)

    await pass(24 * HOUR_MS)
    await send('3')
    await pass(HOUR_MS)
    expect(await recipients()).toHaveLength(1)
  })
})

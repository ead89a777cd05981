/** Text messages by a webhook in place of the gateway's mail: the code arrives, and no mail is sent. */
import { ConfirmSignUpCommand, SignUpCommand } from '@aws-sdk/client-cognito-identity-provider'
import { expect, test, vi } from 'vitest'
import { provide } from '../../kernel/ports/port.ts'
import { type Webhook, webhook } from '../../kernel/ports/webhook.ts'
import { PASSWORD, poolFixture } from './user-pool.fixture.ts'

test('A code goes to the address of MERLON_SMS_WEBHOOK as JSON, and confirms the number', async () => {
  vi.stubEnv('MERLON_SMS_WEBHOOK', 'https://sms.corp.test/send')
  try {
    const sent: Webhook[] = []
    const deliver = async (message: Webhook) => void sent.push(message)
    const it = await poolFixture(
      { AutoVerifiedAttributes: ['phone_number'] },
      {},
      { provides: [provide(webhook, { deliver })] },
    )
    const { idp, ClientId } = it
    const UserAttributes = [{ Name: 'phone_number', Value: '+4912345678' }]
    await idp.send(new SignUpCommand({ ClientId, Username: 'ana', Password: PASSWORD, UserAttributes }))
    expect(sent).toEqual([])

    await it.jobs.runDue()

    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({
      url: 'https://sms.corp.test/send',
      headers: { 'content-type': 'application/json' },
    })
    const { to, text } = JSON.parse(sent[0]!.body)
    expect(to).toBe('+4912345678')
    expect(it.mailer.delivered()).toEqual([])
    const ConfirmationCode = /\d{6}/.exec(text)![0]
    await idp.send(new ConfirmSignUpCommand({ ClientId, Username: 'ana', ConfirmationCode }))
  } finally {
    vi.unstubAllEnvs()
  }
})

/** Messages to users: invitations and codes, by mail and SMS, with the pool's texts, through the outbox. */

import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import { mailbox, OutboxQuotaError, webhooks } from '../../kernel/jobs/outbox.ts'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import { sendByFunction, senderOf } from './custom-sender.ts'
import { queueNotification } from './log-queue.ts'
import { cognito, type Flow, type PoolRow } from './resources.ts'
import { smsDomain, smsWebhook } from './settings.ts'
import { functionOf, trigger } from './triggers.ts'
import type { UserRow } from './user-rows.ts'

export type Medium = 'EMAIL' | 'SMS'

export type MessageKind = 'sign-up' | 'resend' | 'invite' | 'forgot' | 'attribute' | 'sign-in'

const SOURCE: Readonly<Record<MessageKind, string>> = {
  'sign-up': 'CustomMessage_SignUp',
  resend: 'CustomMessage_ResendCode',
  invite: 'CustomMessage_AdminCreateUser',
  forgot: 'CustomMessage_ForgotPassword',
  attribute: 'CustomMessage_UpdateUserAttribute',
  'sign-in': 'CustomMessage_Authentication',
}

const MINUTE_MS = 60_000

export const CODE_PLACE = '{####}'
export const NAME_PLACE = '{username}'

export interface Message {
  readonly kind: MessageKind
  readonly medium: Medium
  readonly to: string
  readonly code: string
  readonly clientId: string
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

interface Texts {
  readonly subject: string
  readonly email: string
  readonly sms: string
}

function textsOf({ settings, emailMfa }: PoolRow, kind: MessageKind): Texts {
  const { VerificationMessageTemplate: template, AdminCreateUserConfig: admin } = settings
  if (kind === 'invite') {
    const invite = admin?.InviteMessageTemplate
    return {
      subject: invite?.EmailSubject ?? 'Your temporary password',
      email: invite?.EmailMessage ?? `Your username is ${NAME_PLACE} and temporary password is ${CODE_PLACE}.`,
      sms: invite?.SMSMessage ?? `Your username is ${NAME_PLACE} and temporary password is ${CODE_PLACE}.`,
    }
  }
  if (kind === 'sign-in')
    return {
      subject: emailMfa?.subject ?? 'Your authentication code',
      email: emailMfa?.message ?? `Your authentication code is ${CODE_PLACE}.`,
      sms: settings.SmsAuthenticationMessage ?? `Your authentication code is ${CODE_PLACE}.`,
    }
  const what = kind === 'forgot' ? 'Your password reset code is' : 'Your confirmation code is'
  return {
    subject: template?.EmailSubject ?? settings.EmailVerificationSubject ?? 'Your verification code',
    email: template?.EmailMessage ?? settings.EmailVerificationMessage ?? `${what} ${CODE_PLACE}.`,
    sms: template?.SmsMessage ?? settings.SmsVerificationMessage ?? `${what} ${CODE_PLACE}.`,
  }
}

/** Queues a message in the transaction. Throws where the function of CustomMessage refuses, and over quotas. */
export async function send(call: Flow, pool: PoolRow, user: UserRow, message: Message): Promise<void> {
  call.afterCommit(() => call.use(userPoolCounts).count('messages', { kind: message.kind, medium: message.medium }))
  try {
    if (senderOf(pool, message.medium) === undefined) return await sendByOutbox(call, pool, user, message)
    const to = message.medium === 'EMAIL' ? message.to : `${message.to}@${smsDomain()}`
    await mailbox.charge(call, { account: pool.account, to, subject: '', text: '' })
    sendByFunction(call, pool, user, message, SOURCE[message.kind].replace('CustomMessage_', ''))
  } catch (error) {
    if (!(error instanceof OutboxQuotaError)) throw error
    // One a minute: clients without an account lead here as often as they like.
    const now = Math.floor(call.now / MINUTE_MS) * MINUTE_MS
    const details = `${SOURCE[message.kind]}: the quota of messages of the day is exhausted.`
    await call.commitNow((unit) => queueNotification({ unit, now }, pool, 'quota', details))
    throw cognito.fail(
      'LimitExceededException',
      'Exceeded daily message limit for the operation or the account. Try again later.',
    )
  }
}

async function sendByOutbox(call: Flow, pool: PoolRow, user: UserRow, message: Message): Promise<void> {
  const texts = { ...textsOf(pool, message.kind), ...(await customTexts(call, pool, user, message)) }
  const fill = (text: string): string => text.split(CODE_PLACE).join(message.code).split(NAME_PLACE).join(user.username)
  const name = `cognito/${pool.id}/${user.sub}/${call.newId()}`
  const { account } = pool
  if (message.medium === 'EMAIL') {
    const text = fill(texts.email)
    const subject = texts.subject.replace(/[\r\n]+/g, ' ')
    const isHtml = /<[a-z][^>]*>/i.test(text)
    await mailbox.send(call, name, {
      account,
      to: message.to,
      subject,
      text: isHtml ? text.replace(/<br\s*\/?>/gi, '\n').replace(/<[^<>]*>/g, '') : text,
      ...(isHtml && { html: text }),
    })
    return
  }
  const webhook = smsWebhook()
  const text = fill(texts.sms)
  if (webhook !== undefined)
    await webhooks.send(call, name, {
      account,
      url: webhook,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: message.to, text }),
    })
  else await mailbox.send(call, name, { account, to: `${message.to}@${smsDomain()}`, subject: 'SMS', text })
}

async function customTexts(call: Flow, pool: PoolRow, user: UserRow, message: Message): Promise<Partial<Texts>> {
  if (functionOf(pool, 'CustomMessage') === undefined) return {}
  const answer = await trigger(call, pool, 'CustomMessage', {
    source: SOURCE[message.kind],
    userName: user.username,
    clientId: message.clientId,
    user,
    request: {
      codeParameter: CODE_PLACE,
      usernameParameter: message.kind === 'invite' ? NAME_PLACE : null,
      linkParameter: '{##Click Here##}',
      clientMetadata: message.clientMetadata ?? {},
    },
    response: { smsMessage: null, emailMessage: null, emailSubject: null },
  })
  const texts: { -readonly [K in keyof Texts]?: string } = {}
  const { smsMessage, emailMessage, emailSubject } = answer ?? {}
  // A message without the code would be of no use to its reader: AWS ignores it, too.
  if (typeof smsMessage === 'string' && smsMessage.includes(CODE_PLACE)) texts.sms = smsMessage.slice(0, 160)
  if (typeof emailMessage === 'string' && emailMessage.includes(CODE_PLACE)) texts.email = emailMessage.slice(0, 20_000)
  if (typeof emailSubject === 'string' && emailSubject !== '') texts.subject = emailSubject.slice(0, 140)
  return texts
}

/** `a***@e***`, `+*******1234`: enough for its owner to know it by. */
export function masked(medium: Medium, destination: string): string {
  if (medium === 'SMS') return `+*******${destination.slice(-4)}`
  const [local = '', host = ''] = destination.split('@')
  return `${local.slice(0, 1)}***@${host.slice(0, 1)}***`
}

export const deliveryDetails = (medium: Medium, destination: string): CodeDeliveryDetailsType => ({
  Destination: masked(medium, destination),
  DeliveryMedium: medium,
  AttributeName: medium === 'EMAIL' ? 'email' : 'phone_number',
})

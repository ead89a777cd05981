/**
 * A root user's forgotten password: a code is sent to the recorded e-mail address, and with it a new password can be
 * set. The pages are the same for addresses that no root user has. A second factor is still required at the next
 * sign-in.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { mailbox, OutboxQuotaError } from '../../kernel/jobs/outbox.ts'
import type { Mail } from '../../kernel/ports/mail.ts'
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { randomText } from '../../kernel/service/id.ts'
import { type Html, html } from '../../kernel/web/html.ts'
import type { WebAnswer, WebCall, WebRoute } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { personIdentity, signInEvent } from './events.ts'
import { field, hidden, page, problem } from './pages.ts'
import { openTicket, sealTicket, type Ticket } from './ticket.ts'
import { get, post } from './web.ts'

/** 24 characters of 32: 120 bits, which need no budget against guessing. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const CODE_LENGTH = 24
const CODE_MS = 30 * 60_000
const EMAIL_LENGTH_MAX = 256

/** Milliseconds of the next 30,000 years. */
const TIME_LENGTH = 15

interface Sent {
  /** Of the code, base64; the browser has the ticket. */
  readonly codeHash: string
  /** Epoch milliseconds, in digits: when the password was last changed. A code counts once. */
  readonly changedAt: string
}

/** Whether the message is on its way; not when the account, or the recipient, has had its messages of the day. */
async function isSent(call: WebCall<undefined>, key: string, message: Mail): Promise<boolean> {
  try {
    await mailbox.send(call, key, message)
    return true
  } catch (error) {
    // The page says nothing of it: it would show that the address is known.
    if (error instanceof OutboxQuotaError) return false
    throw error
  }
}

const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest()

export const passwordResetRoutes: readonly WebRoute[] = [
  get('/reset', 'GetSignInPage', (_call, { csrf }) => ({ page: addressPage(csrf) })),
  post('/reset', 'PasswordRecoveryRequested', async (call, { form, csrf }) => {
    const email = (form['email'] ?? '').trim().slice(0, EMAIL_LENGTH_MAX)
    const people = call.use(signInIdentities)
    const found = await people.rootOf(call.unit, email)
    // The work for an unknown address is done on another root user, and no mail is sent.
    const person = found ?? (await people.standIn(call.unit))
    const code = await call.once(async () => randomText(ALPHABET, CODE_LENGTH))
    const state = await people.passwordState(call, person)
    const onRecord = await people.rootEmail(call.unit, person.account)
    // A message of its own each time: mail programs hide one whose Message-ID they have seen.
    const key = `signin/reset/${person.account}/${call.requestId}`
    const subject = 'Your password reset code'
    const text = `Enter this code on the page where you requested it, within 30 minutes:\n\n  ${code}\n\nIf you did not request it, ignore this message: nothing changes.\n`
    // Never to the address as entered: letters beyond ASCII are another domain, and look the same in lower case.
    const message = { account: person.account, to: found ? (onRecord ?? email) : email, subject, text }
    if (!(found && (await isSent(call, key, message)))) await mailbox.pretend(call, key, message)
    else signInEvent(call, 'PasswordRecoveryRequested', { account: person.account, identity: personIdentity(person) })
    const ticket: Ticket = {
      stage: 'reset',
      boundTo: csrf,
      expiresAt: call.now + CODE_MS,
      redirect: '',
      account: person.account,
      // Of one length, as everything of the ticket: the page must not show by its size whether the address is known.
      more: {
        codeHash: hashOf(code).toString('base64'),
        changedAt: String(state?.changedAt ?? 0).padStart(TIME_LENGTH, '0'),
      } satisfies Sent,
    }
    return { page: codePage(csrf, sealTicket(call.vault, ticket)) }
  }),
  post('/reset/password', 'PasswordRecoveryCompleted', async (call, { form, csrf }): Promise<WebAnswer> => {
    const ticket = openTicket(call.vault, form['ticket'], { stage: 'reset', boundTo: csrf, now: call.now })
    const { account = '', more } = ticket
    const { codeHash, changedAt } = more as Sent
    const again = (failure: string) => ({ page: codePage(csrf, form['ticket']!, failure), status: 400 })
    const code = (form['code'] ?? '').replace(/\s/g, '').toUpperCase()
    const isRight = timingSafeEqual(hashOf(code), Buffer.from(codeHash, 'base64'))
    if (!isRight) return again('The code is not correct. Check the newest message.')
    if (form['password'] !== form['again']) return again('The two passwords differ.')
    const people = call.use(signInIdentities)
    const person = people.root(account)
    const state = await people.passwordState(call, person)
    // A code counts once: the password has changed since.
    if ((state?.changedAt ?? 0) !== Number(changedAt)) return again('The code was used already. Request another one.')
    try {
      await people.setPassword(call, person, form['password'] ?? '')
    } catch (error) {
      if (error instanceof Fault && error.code === 'PasswordPolicyViolationException') return again(error.message)
      throw error
    }
    signInEvent(call, 'PasswordRecoveryCompleted', { account, identity: personIdentity(person) })
    return { redirect: '/signin/root' }
  }),
]

const addressPage = (csrf: string): Html =>
  page({
    title: 'Reset the root password',
    content: html`<p>A code goes to the e-mail address of the root user.</p>
<form method="post" action="/signin/reset">${hidden({ csrf })}
${field({ name: 'email', label: 'Root user e-mail address', type: 'email', autocomplete: 'username' })}
<button>Send code</button></form>
<hr><p class="quiet">IAM users contact the administrator of their account. <a href="/signin">Sign in</a></p>`,
  })

const codePage = (csrf: string, ticket: string, failure?: string): Html =>
  page({
    title: 'Enter the code',
    content: html`${problem(failure)}<p>If a root user has this address, a code is on its way.</p>
<form method="post" action="/signin/reset/password">${hidden({ csrf, ticket })}
${field({ name: 'code', label: 'Code from the message', autocomplete: 'one-time-code' })}
${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' })}
${field({ name: 'again', label: 'New password, again', type: 'password', autocomplete: 'new-password' })}
<button>Change password</button></form>`,
  })

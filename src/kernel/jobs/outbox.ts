/**
 * The outbox: messages that a commit sends outside. A message is sent if and only if the transaction that queued it
 * commits; it is delivered at least once, in no order, under a key that stays the same. Messages are sealed while they
 * wait, because they carry codes and links. One that cannot be delivered becomes a dead letter with an audit event.
 *
 * @example
 * await mailbox.send(call, `acm/${certificateId}/${domain}`, { account, to: 'admin@corp.test', subject, text })
 */
import { createHash } from 'node:crypto'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import type { Vault } from '../../vault/vault.ts'
import { MERLON_EVENT_SOURCE, serviceEvent } from '../events/event.ts'
import { type Mail, mail } from '../ports/mail.ts'
import type { PortToken, Use } from '../ports/port.ts'
import { type Webhook, webhook } from '../ports/webhook.ts'
import type { Quotas } from '../service/quota.ts'
import { type JobHandler, scheduleJob } from './jobs.ts'

/** What a message needs of an operation, or of a job. */
export interface OutboxContext {
  readonly unit: Unit
  readonly vault: Pick<Vault, 'seal'>
  readonly quotas: Quotas
  /** Epoch milliseconds. */
  readonly now: number
}

/** A sender is over its daily quota; the service answers with its own fault. */
export class OutboxQuotaError extends Error {
  override readonly name = 'OutboxQuotaError'
}

export interface Outbox<M> {
  /**
   * Queues a message in the caller's transaction. A `key` that is still queued replaces its message. Throws
   * {@link OutboxQuotaError} when the account, or the recipient, has had its messages of the day (UTC).
   */
  send(context: OutboxContext, key: string, message: M): Promise<void>
  /**
   * Does the work of {@link send} without sending anything: a response that must not reveal whether an address is known
   * takes as long either way. It is charged to no quota; `message.account` is any account, whose key seals it.
   */
  pretend(context: OutboxContext, key: string, message: M): Promise<void>
  /** Counts a message that leaves in another way, such as by a function of the customer. Throws as {@link send} does. */
  charge(context: OutboxContext, message: M): Promise<void>
  readonly kind: string
  handlers(context: DeliveryContext): readonly (readonly [kind: string, handler: JobHandler])[]
}

export interface DeliveryContext {
  readonly vault: Pick<Vault, 'open'>
  readonly use: Use
}

interface Letter {
  readonly key: string
  readonly account: string
  readonly sealed: Sealed
  /** Epoch milliseconds. */
  readonly queuedAt: number
  /** Dropped instead of delivered. */
  readonly isPretended?: true
}

/** Stored without the message. */
export interface DeadLetter {
  readonly account: string
  readonly key: string
  readonly queuedAt: number
  readonly attempts: number
  readonly error: string
}

interface DayCount {
  readonly day: string
  readonly count: number
}

const ATTEMPTS_MAX = 16
const AGE_MS_MAX = 3 * 24 * 60 * 60 * 1000
const ERROR_LENGTH_MAX = 300
const FORGET_BATCH = 500
/** Replaces the account in the rows of messages that are never sent. */
const PRETENDED = 'pretended'
/** The Region of Merlon's own events. */
const REGION = 'us-east-1'

export interface OutboxOptions<M, P> {
  /** Names rows and jobs in the store: never change it after release. */
  readonly kind: string
  readonly token: PortToken<P>
  /** What the per-recipient quota counts by. */
  readonly recipient: (message: M) => string
}

export function outbox<
  M extends { readonly account: string },
  P extends { deliver(message: M, key: string): Promise<void> },
>({ kind, token, recipient }: OutboxOptions<M, P>): Outbox<M> {
  const jobKind = `outbox.${kind}`
  const forgetKind = `outbox.${kind}.forget`
  const place = (letter: Pick<Letter, 'key' | 'account'>) => ({
    table: `outbox/${kind}`,
    key: letter.key,
    column: 'message',
    account: letter.account,
  })

  /** Counts per account and per recipient: a sign-up form must not become a mail cannon. */
  async function charge({ unit, quotas, now }: OutboxContext, message: M): Promise<void> {
    const day = new Date(now).toISOString().slice(0, 10)
    const { account } = message
    const ofAccount = key('kernel', 'outbox-account', kind, account)
    const before = await unit.get<DayCount>(ofAccount)
    const sent = before?.day === day ? before.count : 0
    if (sent >= limit(quotas, 'AccountPerDay')) throw exceeded('account', account)
    const ofRecipient = key('kernel', 'outbox-recipient', kind, account, day, recipientHash(message))
    const received = (await unit.get<{ count: number }>(ofRecipient))?.count ?? 0
    if (received >= limit(quotas, 'RecipientPerDay')) throw exceeded('recipient', recipient(message))
    unit.put(ofAccount, { day, count: sent + 1 } satisfies DayCount)
    unit.put(ofRecipient, { count: received + 1 })
    // The first message of a day removes the recipients of the days before.
    if (before && before.day !== day)
      scheduleJob(unit, {
        id: `${forgetKind}/${account}/${day}`,
        kind: forgetKind,
        dueAt: now,
        payload: { account, day },
      })
  }
  const recipientHash = (message: M): string =>
    createHash('sha256').update(recipient(message).toLowerCase()).digest('hex').slice(0, 32)

  /**
   * As many reads and writes as {@link charge}, on a bounded number of rows: unauthenticated clients choose the
   * recipients.
   */
  async function pretendCharge({ unit, now }: OutboxContext, message: M): Promise<void> {
    const ofAccount = key('kernel', 'outbox-account', kind, PRETENDED)
    const ofRecipient = key('kernel', 'outbox-recipient', kind, PRETENDED, recipientHash(message).slice(0, 4))
    await unit.get(ofAccount)
    await unit.get(ofRecipient)
    unit.put(ofAccount, { day: new Date(now).toISOString().slice(0, 10), count: 1 } satisfies DayCount)
    unit.put(ofRecipient, { count: 1 })
  }

  function queue({ unit, vault, now }: OutboxContext, name: string, message: M, isPretended: boolean): void {
    const { account } = message
    const sealed = vault.seal(place({ key: name, account }), Buffer.from(JSON.stringify(message)))
    const payload: Letter = { key: name, account, sealed, queuedAt: now, ...(isPretended && { isPretended }) }
    scheduleJob(unit, { id: `${jobKind}/${account}/${name}`, kind: jobKind, dueAt: now, payload })
  }

  const limit = (quotas: Quotas, name: string): number => quotas[`${kind}/${name}`] ?? Number.POSITIVE_INFINITY
  const exceeded = (what: string, which: string) =>
    new OutboxQuotaError(`The ${kind} quota of the ${what} ${which} for today is exhausted.`)

  const deliver = ({ vault, use }: DeliveryContext): JobHandler => ({
    /** Returns why the message was abandoned, undefined once it is delivered; throws to try again. */
    effect: async (job, now): Promise<string | undefined> => {
      const letter = job.payload as Letter
      try {
        const message = JSON.parse(vault.open(place(letter), letter.sealed).toString('utf8')) as M
        if (!letter.isPretended) await use(token).deliver(message, letter.key)
        return undefined
      } catch (error) {
        if (job.attempts < ATTEMPTS_MAX && now - letter.queuedAt < AGE_MS_MAX) throw error
        return error instanceof Error ? error.message.slice(0, ERROR_LENGTH_MAX) : 'unknown error'
      }
    },
    run: async (unit, job, now, error) => {
      if (error === undefined) return
      const { account, key: name, queuedAt } = job.payload as Letter
      const { attempts } = job
      const letter: DeadLetter = { account, key: name, queuedAt, attempts, error: String(error) }
      unit.put(deadLetterKey(kind, account, name), letter)
      unit.append(
        serviceEvent({
          account,
          region: REGION,
          timeMs: now,
          eventSource: MERLON_EVENT_SOURCE,
          eventName: 'MessageUndeliverable',
          resources: [],
          details: { kind, key: name, attempts, error: letter.error },
        }),
      )
    },
  })

  const forget: JobHandler = {
    run: async (unit, job, now) => {
      const { account, day } = job.payload as { readonly account: string; readonly day: string }
      const rows = await unit.range(under('kernel', 'outbox-recipient', kind, account), { limit: FORGET_BATCH })
      const old = rows.filter((row) => row.key < key('kernel', 'outbox-recipient', kind, account, day))
      for (const row of old) unit.delete(row.key)
      if (old.length === FORGET_BATCH)
        scheduleJob(unit, { id: job.id, kind: forgetKind, dueAt: now + 1, payload: job.payload })
    },
  }

  return {
    kind,
    charge,
    send: async (context, name, message) => {
      await charge(context, message)
      queue(context, name, message, false)
    },
    pretend: async (context, name, message) => {
      await pretendCharge(context, message)
      queue(context, name, message, true)
    },
    handlers: (context) => [
      [jobKind, deliver(context)],
      [forgetKind, forget],
    ],
  }
}

const deadLetterKey = (kind: string, account: string, name: string): Key =>
  key('kernel', 'dead-letter', kind, account, name)

/** Messages of an account that could not be delivered. */
export async function deadLetters(
  reader: Pick<Unit, 'range'>,
  kind: string,
  account: string,
): Promise<readonly DeadLetter[]> {
  const rows = await reader.range<DeadLetter>(under('kernel', 'dead-letter', kind, account))
  return rows.map(({ document }) => document)
}

export const mailbox = outbox<Mail, { deliver(message: Mail, key: string): Promise<void> }>({
  kind: 'mail',
  token: mail,
  recipient: ({ to }) => to,
})

export const webhooks = outbox<Webhook, { deliver(message: Webhook, key: string): Promise<void> }>({
  kind: 'webhook',
  token: webhook,
  recipient: ({ url }) => url,
})

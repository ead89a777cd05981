/**
 * Notices to users about sign-ins with a risk, with the pool's texts, and the token by which the reader says whether it was them.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html
 */
import type { AccountTakeoverEventActionType, NotifyEmailType } from '@aws-sdk/client-cognito-identity-provider'
import { mailbox, OutboxQuotaError } from '../../kernel/jobs/outbox.ts'
import type { Unit } from '../../store/store.ts'
import type { ActivityRow } from './activity-rows.ts'
import type { Flow, PoolRow } from './resources.ts'
import type { RiskSettings } from './risk.ts'
import type { UserRow } from './user-rows.ts'
import { loginBase } from './web/discovery.ts'

const BINDING = 'sign-in event feedback'
const VALID_MS = 7 * 24 * 60 * 60_000

export interface FeedbackClaims {
  readonly pool: string
  readonly username: string
  readonly event: string
  readonly expiresAt: number
}

/** undefined for a token that is forged or expired. */
export function readFeedbackToken(
  { vault, now }: Pick<Flow, 'vault' | 'now'>,
  token: string,
): FeedbackClaims | undefined {
  const opened = vault.redeem('user-pool', BINDING, token)
  const claims = opened && (JSON.parse(opened.toString('utf8')) as FeedbackClaims)
  return claims && claims.expiresAt > now ? claims : undefined
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

function templateOf(
  settings: RiskSettings | undefined,
  action: AccountTakeoverEventActionType | undefined,
): NotifyEmailType | undefined {
  const notify = settings?.AccountTakeoverRiskConfiguration?.NotifyConfiguration
  if (action === 'BLOCK') return notify?.BlockEmail
  return action === 'NO_ACTION' ? notify?.NoActionEmail : notify?.MfaEmail
}

const DEFAULT_TEXT: NotifyEmailType = {
  Subject: 'New sign-in attempt',
  TextBody:
    'We observed a sign-in to your account {username} at {login-time} from {ip-address} {country} with {device-name}. ' +
    'If it was not you, change your password. It was me: {one-click-link-valid} It was not me: {one-click-link-invalid}',
}

interface Notice {
  readonly settings: RiskSettings | undefined
  readonly action: AccountTakeoverEventActionType | undefined
  readonly row: ActivityRow
}

/** Queues the notice, where the user has a verified address. One that the outbox has no room for is left out. */
export async function sendNotice(
  call: Pick<Flow, 'vault' | 'quotas' | 'now' | 'use'> & { readonly unit: Unit },
  pool: PoolRow,
  user: UserRow,
  { settings, action, row }: Notice,
): Promise<void> {
  const to = user.attributes['email_verified'] === 'true' ? user.attributes['email'] : undefined
  if (to === undefined) return
  const template = templateOf(settings, action) ?? DEFAULT_TEXT
  const claims: FeedbackClaims = {
    pool: pool.id,
    username: user.username,
    event: row.id,
    expiresAt: call.now + VALID_MS,
  }
  const token = call.vault.issue('user-pool', BINDING, Buffer.from(JSON.stringify(claims)))
  const base = loginBase(call, pool)
  const link = (value: 'Valid' | 'Invalid') =>
    base === undefined ? '' : `${base}/authEventFeedback?${new URLSearchParams({ token, value })}`
  const values: Readonly<Record<string, string>> = {
    username: user.username,
    'login-time': new Date(row.at).toUTCString(),
    'ip-address': row.address ?? '',
    city: '',
    country: row.country ?? '',
    'device-name': row.deviceName ?? '',
    'one-click-link-valid': link('Valid'),
    'one-click-link-invalid': link('Invalid'),
    'feedback-token': token,
  }
  const fill = (text: string, print: (value: string) => string): string =>
    text.replace(/\{([a-z-]+)\}/g, (whole, name: string) => (values[name] === undefined ? whole : print(values[name])))
  const plain = template.TextBody ?? template.HtmlBody?.replace(/<[^<>]*>/g, '') ?? DEFAULT_TEXT.TextBody ?? ''
  try {
    await mailbox.send(call, `cognito/${pool.id}/${user.sub}/risk-${row.id}`, {
      account: pool.account,
      to,
      subject: template.Subject?.replace(/[\r\n]+/g, ' ') ?? '',
      text: fill(plain, (value) => value),
      ...(template.HtmlBody !== undefined && { html: fill(template.HtmlBody, escaped) }),
    })
  } catch (error) {
    if (!(error instanceof OutboxQuotaError)) throw error
  }
}

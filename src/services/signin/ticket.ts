/**
 * Tickets: what a sign-in has proved so far, sealed into a hidden field between its pages. A ticket is bound to the
 * browser that began, ends soon, and is void once the password changes.
 */
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'

export interface Ticket {
  readonly stage: 'mfa' | 'password' | 'roles' | 'social-roles' | 'register' | 'reset'
  /** The browser's CSRF token. */
  readonly boundTo: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly redirect: string
  /** Of the person: account, kind, and name. */
  readonly account?: string
  readonly kind?: 'root' | 'user'
  readonly name?: string
  readonly id?: string
  readonly passwordChangedAt?: number
  readonly mfa?: { readonly serialNumber: string; readonly at: number }
  /** base64url, of WebAuthn. */
  readonly challenge?: string
  /** What only one stage has. */
  readonly more?: object
}

const BINDING = 'signin ticket'
export const TICKET_MS = 10 * 60_000

export const sealTicket = (vault: Pick<Vault, 'issue'>, ticket: Ticket): string =>
  vault.issue('web-session', BINDING, Buffer.from(JSON.stringify(ticket)))

/** Throws a fault that leads back to the first page. */
export function openTicket(
  vault: Pick<Vault, 'redeem'>,
  text: string | undefined,
  { stage, boundTo, now }: { readonly stage: Ticket['stage']; readonly boundTo: string; readonly now: number },
): Ticket {
  const opened = text ? vault.redeem('web-session', BINDING, text) : undefined
  const ticket = opened && (JSON.parse(opened.toString('utf8')) as Ticket)
  if (ticket && ticket.stage === stage && ticket.boundTo === boundTo && ticket.expiresAt > now) return ticket
  throw expiredTicket()
}

export const expiredTicket = (): Fault =>
  new Fault('SignInExpired', 'This page has expired. Start the sign-in again.', { status: 400 })

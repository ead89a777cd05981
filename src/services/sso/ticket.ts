/**
 * Tickets: what a page has proved so far, sealed into a hidden field of the next one. A ticket is bound to its browser and
 * ends soon.
 */
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'

const TICKET_MS = 10 * 60_000
const BINDING = 'sso portal ticket'

interface Sealed<T> {
  readonly stage: string
  readonly boundTo: string
  readonly expiresAt: number
  readonly content: T
}

export function sealTicket<T extends object>(
  vault: Pick<Vault, 'issue'>,
  stage: string,
  { boundTo, now }: { readonly boundTo: string; readonly now: number },
  content: T,
): string {
  const sealed: Sealed<T> = { stage, boundTo, expiresAt: now + TICKET_MS, content }
  return vault.issue('web-session', BINDING, Buffer.from(JSON.stringify(sealed)))
}

/** Throws a fault that leads back to the first page. */
export function openTicket<T extends object>(
  vault: Pick<Vault, 'redeem'>,
  stage: string,
  text: string | undefined,
  { boundTo, now }: { readonly boundTo: string; readonly now: number },
): T {
  const opened = text ? vault.redeem('web-session', BINDING, text) : undefined
  const ticket = opened && (JSON.parse(opened.toString('utf8')) as Sealed<T>)
  if (ticket && ticket.stage === stage && ticket.boundTo === boundTo && ticket.expiresAt > now) return ticket.content
  throw new Fault('SignInExpired', 'This page has expired. Start again.', { status: 400 })
}

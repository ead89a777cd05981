/**
 * Validation by mail: five mailboxes of a domain get a link each. Opening the link shows the request; only pressing a
 * button approves, because scanners of mail open links. Tokens are stored as hashes and spent once.
 */
import { createHash, randomBytes } from 'node:crypto'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { mailbox, type OutboxContext, OutboxQuotaError } from '../../kernel/jobs/outbox.ts'
import type { Use } from '../../kernel/ports/port.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { type Key, key, type Unit } from '../../store/store.ts'
import { mailboxesOf } from './names.ts'
import { acm, arnOf, type CertificateRow, type DomainProof, keyOf } from './resources.ts'

export const APPROVAL_MS = 72 * 60 * 60 * 1000
export const APPROVAL_BASE = '/acm/approve'

export interface ApprovalRow {
  /** Where the certificate's row is. */
  readonly at: Key
  readonly arn: string
  readonly domain: string
  readonly mailbox: string
  readonly expiresAt: number
  /** Of the request: approvals of an earlier round are void. */
  readonly round: number
}

export const approvalKey = (token: string): Key =>
  key('acm', 'approval', createHash('sha256').update(token).digest('hex'))

type Context = OutboxContext & { readonly use: Use }

/** Queues the mails of one domain in the transaction. Throws `LimitExceededException` when the day's mails are used up. */
export async function mailApprovals(context: Context, row: CertificateRow, proof: DomainProof): Promise<void> {
  const round = row.progress.since
  for (const to of mailboxesOf(proof.validationDomain)) {
    const token = randomBytes(32).toString('base64url')
    const approval: ApprovalRow = {
      at: keyOf(row),
      arn: arnOf(row),
      domain: proof.domain,
      mailbox: to,
      expiresAt: context.now + APPROVAL_MS,
      round,
    }
    putExpiring(context.unit, 'acm.forget', approvalKey(token), approval)
    const link = `${context.use(webOrigin).origin() ?? 'http://localhost'}${APPROVAL_BASE}/${token}`
    try {
      await mailbox.send(context, `acm/${row.id}/${proof.domain}/${to}/${context.now}`, {
        account: row.account,
        to,
        subject: `Certificate request for ${row.domain}`,
        text: letter(row, proof, link),
      })
    } catch (error) {
      if (!(error instanceof OutboxQuotaError)) throw error
      throw acm.fail('LimitExceededException', error.message)
    }
  }
}

const letter = (row: CertificateRow, { domain, validationDomain }: DomainProof, link: string): string =>
  `A certificate was requested for ${domain}.

Account:      ${row.account}
Region:       ${row.region}
Certificate:  ${row.id}
Names:        ${row.names.join(', ')}

You receive this message because this address is one of the administrators of ${validationDomain}.
To approve or to deny the request, open this page within 72 hours:

  ${link}

Opening the page does not approve the request. If you do not know of it, deny it or do nothing.
`

/** What a link leads to; undefined for links that are unknown, spent or too old. */
export async function readApproval(
  unit: Unit,
  token: string,
  now: number,
): Promise<{ readonly approval: ApprovalRow; readonly row: CertificateRow } | undefined> {
  const approval = await unit.get<ApprovalRow>(approvalKey(token))
  if (!approval || approval.expiresAt <= now) return undefined
  const row = await unit.get<CertificateRow>(approval.at)
  const isOpen = row && ['PENDING_VALIDATION', 'RENEWING'].includes(row.progress.state)
  return isOpen && row.progress.since === approval.round ? { approval, row } : undefined
}

/**
 * The lifecycle of a certificate: its domains are proved, it is issued, renewed under the same ARN, and expires. Each turn
 * looks at DNS outside of the transaction; a change by a caller wins over a turn in progress.
 */
import { lifecycle, type State, type StepResult } from '../../kernel/jobs/lifecycle.ts'
import type { AcmeAuthoritySettings } from '../../kernel/ports/acme-authority.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import { key, type Unit, under } from '../../store/store.ts'
import { daysBeforeExpiry } from './account-configuration.ts'
import { mailApprovals } from './approvals.ts'
import { readIssuingAuthority } from './authorities.ts'
import { checkCaa, checkRecord } from './domain-checks.ts'
import { recordEvent } from './events.ts'
import { issueLeaf } from './leaves.ts'
import { baseOf } from './names.ts'
import { renewPrivately } from './private-certificates.ts'
import { makeKeyPair, sealKey } from './private-keys.ts'
import { isRenewable, renewsAt } from './renewal-rules.ts'
import {
  arnOf,
  type CertificateRow,
  type CertificateState,
  type DomainProof,
  keyOf,
  type Material,
} from './resources.ts'
import { ensureUpstreamAccount } from './upstream/account.ts'
import { publishChallenges } from './upstream/challenges.ts'
import { obtain, upstreamOf } from './upstream/orders.ts'
import { checkedRenewal } from './upstream/renewal-information.ts'
import { upstreamEveryMs } from './upstream/retries.ts'

const SECOND_MS = 1_000
const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const VALIDATION_MS = 72 * HOUR_MS
/** Of AWS since 2026. */
const VALIDITY_DAYS = 198
const BACKDATED_MS = HOUR_MS
/** Days before the end at which administrators are mailed again when a renewal needs them. */
const MAIL_DAYS = [45, 30, 15, 7, 3, 1]

type Result = StepResult<CertificateState, CertificateRow>

export const validityMs = (): number => Number(process.env['MERLON_CERTIFICATE_DAYS'] ?? VALIDITY_DAYS) * DAY_MS

/** Often while a person waits for it, seldom later. */
function checkEveryMs(row: CertificateRow, now: number): number {
  const upstreamMs = upstreamEveryMs(row, now)
  if (upstreamMs !== undefined) return upstreamMs
  const ageMs = now - row.progress.since
  if (ageMs > HOUR_MS) return 60 * SECOND_MS
  return Math.min(10 * SECOND_MS, Math.max(SECOND_MS, ageMs / 10))
}

const isDenied = (proof: DomainProof): boolean => proof.isDenied === true
const isWhole = ({ methods, proved }: DomainProof): boolean => methods.every((method) => proved.includes(method))

/** Each proof by mail costs a person's time; DNS is queried again for every issuance. */
async function checkedProof(work: JobContext, proof: DomainProof): Promise<DomainProof> {
  if (!proof.methods.includes('DNS') || !proof.record || proof.proved.includes('DNS')) {
    const waits = !isWhole(proof) && !isDenied(proof)
    return waits ? { ...proof, finding: waitingForMail(proof) } : proof
  }
  const { isProved, finding, answers } = await checkRecord(work, proof.record)
  const proved = isProved ? [...proof.proved, 'DNS' as const] : proof.proved
  const checked = { ...proof, proved, checkedAt: work.now, answers }
  return { ...checked, finding: isProved && !isWhole(checked) ? waitingForMail(checked) : finding }
}

const waitingForMail = ({ mailboxes = [] }: DomainProof): string =>
  `waiting for an approval by ${mailboxes.slice(0, -1).join(', ')} or ${mailboxes.at(-1)}`

async function validate(work: JobContext, row: CertificateRow): Promise<Result> {
  const proofs: DomainProof[] = []
  for (const proof of row.proofs) proofs.push(await checkedProof(work, proof))
  if (proofs.some(isDenied)) return { to: 'FAILED', row: { proofs, failure: 'DOMAIN_VALIDATION_DENIED' } }
  if (!proofs.every(isWhole)) return { row: { proofs } }
  const upstream = upstreamOf(work, row)
  if (upstream) return fromUpstream(work, { ...row, proofs }, upstream)
  for (const [index, proof] of proofs.entries()) {
    const caa = await checkCaa(work, baseOf(proof.domain), proof.domain.startsWith('*.'))
    proofs[index] = { ...proof, finding: caa.finding }
    if (caa.verdict === 'forbidden') {
      // A caller that waits for the domains to be validated sees it at once.
      proofs[index] = { ...proof, finding: caa.finding, isDenied: true }
      return { to: 'FAILED', row: { proofs, failure: 'CAA_ERROR' } }
    }
    if (caa.verdict === 'unknown') return { row: { proofs } }
  }
  return { to: 'ISSUED', row: { proofs, ...(await issued(work, row)) } }
}

/** The other authority reads CAA records itself. */
async function fromUpstream(work: JobContext, row: CertificateRow, settings: AcmeAuthoritySettings): Promise<Result> {
  const { result, note } = await obtain(work, row, settings)
  return { ...result, row: { proofs: row.proofs.map((proof) => ({ ...proof, finding: note })), ...result.row } }
}

/** A new key and a new serial under the same ARN. */
async function issued(work: JobContext, row: CertificateRow): Promise<Partial<CertificateRow>> {
  const { vault, reader, now } = work
  const authority = await readIssuingAuthority(reader, row.account, row.region)
  if (!authority) throw new Error(`${arnOf(row)} has no authority`)
  const { privateKey, publicKey } = await makeKeyPair(row.keyAlgorithm)
  const notAfter = Math.floor((now + validityMs()) / SECOND_MS) * SECOND_MS
  const notBefore = Math.floor((now - BACKDATED_MS) / SECOND_MS) * SECOND_MS
  const leaf = await issueLeaf(vault, authority, {
    names: row.names,
    publicKey,
    isRsa: row.keyAlgorithm.startsWith('RSA'),
    notBefore,
    notAfter,
    origin: work.use(webOrigin).origin(),
  })
  const material: Material = {
    pem: leaf.pem,
    chain: leaf.chain,
    serial: leaf.serial,
    issuer: leaf.issuer,
    notBefore,
    notAfter,
    privateKey: sealKey(vault, row, leaf.serial, privateKey),
  }
  return row.material ? { material, renewedAt: now } : { material, issuedAt: now }
}

async function watch(work: JobContext, row: CertificateRow): Promise<Result> {
  const { now } = work
  const { material } = row
  if (!material) return {}
  if (now >= material.notAfter) return { to: 'EXPIRED' }
  const upstream = (await checkedRenewal(work, row.account, material)) ?? material.upstream
  const changed = upstream === material.upstream ? {} : { material: { ...material, upstream } as Material }
  if (isRenewable(row) && now >= renewsAt(material, upstream?.renewAt)) return beginRenewal(row, now)
  const daysLeft = Math.ceil((material.notAfter - now) / DAY_MS)
  const isNear = daysLeft <= (await daysBeforeExpiry(work.reader, row))
  return { row: { ...changed, ...(isNear && row.warnedDay !== daysLeft && { warnedDay: daysLeft }) } }
}

/** Every proof is requested again; what DNS proves needs no person. */
export const beginRenewal = (row: CertificateRow, now: number): Result => ({
  to: 'RENEWING',
  row: {
    proofs: row.proofs.map((proof) => ({ ...proof, proved: [] })),
    renewal: { status: 'PENDING_AUTO_RENEWAL', updatedAt: now },
  },
})

async function renew(work: JobContext, row: CertificateRow): Promise<Result> {
  const { now } = work
  if (row.material && now >= row.material.notAfter)
    return { to: 'EXPIRED', row: { renewal: { status: 'FAILED', updatedAt: now } } }
  const result = row.type === 'PRIVATE' ? await renewPrivately(work, row) : await validate(work, row)
  if (result.to === 'ISSUED')
    return { ...result, row: { ...result.row, renewal: { status: 'SUCCESS', updatedAt: now } } }
  // What is in use stays valid until its end: a renewal that is refused does not take it away.
  const reason = result.row?.failure
  const isOrdered = upstreamOf(work, row) !== undefined && (result.row?.proofs ?? row.proofs).every(isWhole)
  const waiting = isOrdered ? 'PENDING_AUTO_RENEWAL' : 'PENDING_VALIDATION'
  const status = row.type === 'PRIVATE' || reason ? 'FAILED' : waiting
  const isSame = row.renewal?.status === status && row.renewal.reason === reason
  const { failure: _, ...rest } = result.row ?? {}
  return { row: { ...rest, ...(isSame ? {} : { renewal: { status, updatedAt: now, ...(reason && { reason }) } }) } }
}

const states: Readonly<Record<CertificateState, State<CertificateState, CertificateRow> | 'end'>> = {
  PENDING_VALIDATION: {
    everyMs: checkEveryMs,
    ends: { afterMs: VALIDATION_MS, to: 'VALIDATION_TIMED_OUT' },
    step: validate,
  },
  ISSUED: { everyMs: HOUR_MS, step: watch },
  RENEWING: {
    everyMs: (row, now) => {
      const isNew = now - (row.renewal?.updatedAt ?? 0) < 10 * SECOND_MS
      return upstreamEveryMs(row, now) ?? (isNew ? SECOND_MS : Math.max(60 * SECOND_MS, checkEveryMs(row, now)))
    },
    step: renew,
  },
  EXPIRED: 'end',
  REVOKED: 'end',
  VALIDATION_TIMED_OUT: 'end',
  FAILED: 'end',
}

/** An issued serial number, for revocation lists and status answers. Written with the certificate. */
export interface IssuedRow {
  readonly serial: string
  readonly arn: string
  readonly notAfter: number
  readonly revokedAt?: number
  readonly reason?: string
}
export const issuedKey = (issuer: string, serial: string) => key('acm', 'issued', issuer, serial.toLowerCase())

const revokedKey = (issuer: string, serial: string) => key('acm', 'revoked', issuer, serial.toLowerCase())
/** What revocation lists are made of: few among all that was issued. */
export const revokedBy = (issuer: string) => under('acm', 'revoked', issuer)

export function putRevoked(unit: Unit, issuer: string, row: IssuedRow): void {
  unit.put(issuedKey(issuer, row.serial), row)
  unit.put(revokedKey(issuer, row.serial), row)
}

export function recordIssued(unit: Unit, row: CertificateRow): void {
  const { material } = row
  if (!material?.issuer) return
  const { serial, notAfter } = material
  unit.put(issuedKey(material.issuer, serial), { serial, arn: arnOf(row), notAfter } satisfies IssuedRow)
}

export const issuance = lifecycle<CertificateState, CertificateRow>('acm.issue', states, {
  onTurn: async (unit, context, before, after) => {
    const { now, vault } = context
    const directory = after.upstream && !after.upstream.order && upstreamOf(context, after)?.directory
    if (directory) await ensureUpstreamAccount(unit, vault, directory, now)
    publishChallenges(unit, context, before, after)
    const findings = (row: CertificateRow) =>
      JSON.stringify(row.proofs.map(({ domain, finding, answers }) => [domain, finding, answers]))
    if (findings(before) !== findings(after))
      recordEvent(unit, after, 'DomainValidationChecked', now, {
        domains: after.proofs.map(({ domain, proved, methods, finding, answers }) => ({
          domain,
          methods,
          proved,
          finding,
          answers,
        })),
      })
    if (after.warnedDay !== undefined && after.warnedDay !== before.warnedDay)
      recordEvent(unit, after, 'CertificateApproachingExpiration', now, { DaysToExpiry: after.warnedDay })
    if (after.progress.state === 'RENEWING') await mailAgain(unit, context, after)
  },
  onChange: (unit, { now }, before, after) => {
    const { state } = after.progress
    if (state === 'ISSUED') {
      recordIssued(unit, after)
      recordEvent(unit, after, before.material ? 'CertificateRenewed' : 'CertificateAvailable', now, {
        Serial: after.material?.serial,
      })
    }
    if (state === 'EXPIRED') recordEvent(unit, after, 'CertificateExpired', now)
    if (state === 'FAILED') recordEvent(unit, after, 'CertificateFailed', now, { FailureReason: after.failure })
    if (state === 'VALIDATION_TIMED_OUT') recordEvent(unit, after, 'CertificateValidationTimedOut', now)
  },
})

/** At 45, 30, 15, 7, 3 and 1 days before the end, for domains that a person has to approve. */
async function mailAgain(unit: Unit, context: JobContext, row: CertificateRow): Promise<void> {
  const open = row.proofs.filter((proof) => proof.methods.includes('EMAIL') && !proof.proved.includes('EMAIL'))
  if (open.length === 0 || !row.material) return
  const daysLeft = Math.ceil((row.material.notAfter - context.now) / DAY_MS)
  const due = MAIL_DAYS.filter((day) => daysLeft <= day).at(-1)
  if (due === undefined || (row.mailedDay !== undefined && row.mailedDay <= due)) return
  for (const proof of open) await mailApprovals({ ...context, unit }, row, proof)
  unit.put(keyOf(row), { ...row, mailedDay: due })
  recordEvent(unit, row, 'CertificateRenewalActionRequired', context.now, { DaysToExpiry: daysLeft })
}

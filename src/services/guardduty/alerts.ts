/**
 * Alerts: new findings sent by mail and to webhooks that the operator names, from a severity on.
 *
 * @example
 * MERLON_FINDING_ALERTS='mailto:soc@corp.test?severity=7,https://hooks.corp.test/guardduty?severity=4'
 */
import type { Finding } from '@aws-sdk/client-guardduty'
import { mailbox, type OutboxContext, OutboxQuotaError, webhooks } from '../../kernel/jobs/outbox.ts'
import { findingJson } from './finding-shape.ts'

export interface AlertTarget {
  readonly kind: 'mail' | 'webhook'
  /** The address, or the URL. */
  readonly to: string
  /** The least severity that is sent. */
  readonly severity: number
}

/** From high severity on, where a target says nothing. */
const SEVERITY = 7
const VARIABLE = 'MERLON_FINDING_ALERTS'

/** Throws with a sentence for the operator. */
export function readAlertTargets(text: string | undefined): readonly AlertTarget[] {
  return (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => {
      const url = URL.canParse(each) ? new URL(each) : undefined
      const severity = Number(url?.searchParams.get('severity') ?? SEVERITY)
      url?.searchParams.delete('severity')
      if (!(severity >= 1 && severity <= 10)) throw new Error(`${VARIABLE}: severity is a number from 1 to 10`)
      if (url?.protocol === 'mailto:' && /^[^@\s]+@[^@\s]+$/.test(url.pathname))
        return { kind: 'mail' as const, to: decodeURIComponent(url.pathname), severity }
      if (url?.protocol === 'https:') return { kind: 'webhook' as const, to: url.href, severity }
      throw new Error(`${VARIABLE}: a target is mailto:ADDRESS or https://…, each with ?severity=NUMBER where wanted`)
    })
}

/** In the transaction of the finding: what is queued is sent if that commits. Beyond a day's quota nothing is sent. */
export async function sendAlerts(context: OutboxContext, finding: Finding): Promise<void> {
  const account = finding.AccountId!
  for (const { kind, to, severity } of readAlertTargets(process.env[VARIABLE])) {
    if (finding.Severity! < severity) continue
    const name = `guardduty/${finding.Id}/${to}`
    try {
      if (kind === 'mail') await mailbox.send(context, name, { account, to, ...mailOf(finding) })
      else
        await webhooks.send(context, name, {
          account,
          url: to,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(findingJson(finding)),
        })
    } catch (error) {
      // The finding is stored either way.
      if (!(error instanceof OutboxQuotaError)) throw error
    }
  }
}

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim()

const mailOf = ({ Type, Severity, Title, Description, AccountId, Region, Id }: Finding) => ({
  subject: oneLine(`GuardDuty finding (severity ${Severity}) in account ${AccountId}: ${Type}`).slice(0, 200),
  text: [
    oneLine(Title ?? ''),
    '',
    oneLine(Description ?? ''),
    '',
    `Type      ${Type}`,
    `Severity  ${Severity}`,
    `Account   ${AccountId}`,
    `Region    ${Region}`,
    `Finding   ${Id}`,
    '',
  ].join('\n'),
})

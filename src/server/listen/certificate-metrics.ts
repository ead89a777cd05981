/** Certificates by state, the ends of those in use, and status answers, in the Prometheus text format. */
import { type CertificateMeasures, certificateMetrics } from '../../kernel/ports/certificate-metrics.ts'
import type { Use } from '../../kernel/ports/port.ts'
import type { Reader } from '../../kernel/state/reader.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** `now`: epoch milliseconds. */
export async function certificateLines(reader: Reader, use: Use, now: number): Promise<readonly string[]> {
  return printedMeasures(await use(certificateMetrics).measure(reader), now)
}

/** No lines for what there is none of. */
export function printedMeasures(
  { states, soonest, statusAnswers }: CertificateMeasures,
  now: number,
): readonly string[] {
  return [
    ...series(
      'merlon_certificates',
      'gauge',
      'Certificates of ACM by state.',
      [...states].map(([state, count]) => [`state="${state}"`, count]),
    ),
    ...series(
      'merlon_certificate_expiry_days',
      'gauge',
      'Days to the end of certificates in use, of the twenty that end first.',
      soonest.map(({ arn, notAfter }) => [`arn="${arn}"`, Math.floor((notAfter - now) / DAY_MS)]),
    ),
    ...series(
      'merlon_certificate_status_answers_total',
      'counter',
      'Status answers (OCSP) by what they said.',
      statusAnswers.map(({ service, result, count }) => [`service="${service}",result="${result}"`, count]),
    ),
  ]
}

function series(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): readonly string[] {
  if (values.length === 0) return []
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...values.map(([labels, value]) => `${name}{${labels}} ${value}`),
  ]
}

/** Certificates by state, the ends of those in use, and status answers, in the Prometheus text format. */
import type { CertificateMeasures } from './measures.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** No lines for what there is none of. `now`: epoch milliseconds. */
export function certificateLines(
  { states, soonest, statusAnswers }: CertificateMeasures,
  now: number,
): readonly string[] {
  return [
    ...series(
      'merlon_certificates',
      'gauge',
      'Certificates of ACM by state.',
      [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([state, count]) => [`state="${state}"`, count]),
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

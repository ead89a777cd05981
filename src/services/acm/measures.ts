/** What a scrape measures about certificates: a count of the rows, which is reused for a minute, and counters of this process. */
import type { StatusResult } from '../../engines/x509/revocation.ts'
import type { CertificateMeasures, CertificateMetricsPort } from '../../kernel/ports/certificate-metrics.ts'
import { CERTIFICATE_DOCUMENTS } from '../../kernel/ports/certificates.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Key } from '../../store/store.ts'
import { statusOf } from './descriptions.ts'
import { arnOf, type CertificateRow } from './resources.ts'

const REUSED_MS = 60_000
const PAGE = 500
/** Each is a series of its own. */
const SOONEST_MAX = 20

type Counted = Pick<CertificateMeasures, 'states' | 'soonest'>

export class CertificateMeasurer implements CertificateMetricsPort {
  readonly #now: () => number
  readonly #answers = new Map<string, CertificateMeasures['statusAnswers'][number]>()
  #counted: { readonly at: number; readonly counted: Promise<Counted> } | undefined

  /** `now`: epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  countStatusAnswer(service: 'acm' | 'acm-pca', result: StatusResult): void {
    const at = `${service} ${result}`
    this.#answers.set(at, { service, result, count: (this.#answers.get(at)?.count ?? 0) + 1 })
  }

  async measure(reader: Pick<Reader, 'range'>): Promise<CertificateMeasures> {
    return { ...(await this.#certificates(reader)), statusAnswers: [...this.#answers.values()] }
  }

  #certificates(reader: Pick<Reader, 'range'>): Promise<Counted> {
    const now = this.#now()
    if (this.#counted && now >= this.#counted.at && now < this.#counted.at + REUSED_MS) return this.#counted.counted
    const counted = count(reader)
    this.#counted = { at: now, counted }
    counted.catch(() => {
      this.#counted = undefined
    })
    return counted
  }
}

async function count(reader: Pick<Reader, 'range'>): Promise<Counted> {
  const states = new Map<string, number>()
  let soonest: CertificateMeasures['soonest'][number][] = []
  for (let after: Key | undefined; ; ) {
    const page = await reader.range<CertificateRow>(CERTIFICATE_DOCUMENTS, { after, limit: PAGE })
    for (const { document: row } of page) {
      const status = statusOf(row)
      states.set(status, (states.get(status) ?? 0) + 1)
      if (status === 'ISSUED' && row.inUseBy.length > 0 && row.material)
        soonest.push({ arn: arnOf(row), notAfter: row.material.notAfter })
    }
    soonest = soonest.toSorted((a, b) => a.notAfter - b.notAfter).slice(0, SOONEST_MAX)
    if (page.length < PAGE) return { states, soonest }
    after = page.at(-1)!.key
  }
}

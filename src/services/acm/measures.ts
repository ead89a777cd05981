/** What a scrape measures about certificates: a count of the rows, which is reused for a minute, and counters of this process. */
import type { StatusResult } from '../../engines/x509/revocation.ts'
import { CERTIFICATE_DOCUMENTS } from '../../kernel/ports/certificates.ts'
import type { StatusAnswersPort } from '../../kernel/ports/status-answers.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Key } from '../../store/store.ts'
import { statusOf } from './descriptions.ts'
import { arnOf, type CertificateRow } from './resources.ts'

const REUSED_MS = 60_000
const PAGE = 500
/** Each is a series of its own. */
const SOONEST_MAX = 20

export interface CertificateMeasures {
  /** Of all accounts and Regions, by the state that DescribeCertificate shows. */
  readonly states: ReadonlyMap<string, number>
  /** Certificates in use that end first, soonest first. */
  readonly soonest: readonly { readonly arn: string; readonly notAfter: number }[]
  /** Of this process since its start, by service and result. */
  readonly statusAnswers: readonly { readonly service: string; readonly result: StatusResult; readonly count: number }[]
}

type Counted = Pick<CertificateMeasures, 'states' | 'soonest'>

export class CertificateMeasurer implements StatusAnswersPort {
  readonly #now: () => number
  readonly #answers = new Map<string, CertificateMeasures['statusAnswers'][number]>()
  #counted: { readonly at: number; readonly counted: Promise<Counted> } | undefined

  /** `now`: epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  count(service: 'acm' | 'acm-pca', result: StatusResult): void {
    const at = `${service} ${result}`
    this.#answers.set(at, { service, result, count: (this.#answers.get(at)?.count ?? 0) + 1 })
  }

  /** Certificates are counted once a minute at most. */
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

/** Certificates are renewed the day after the request: a durable job. */
import { scheduleJob } from '../../src/kernel/jobs/jobs.ts'
import type { Arn } from '../../src/kernel/resource/arn.ts'
import type { ServiceJob } from '../../src/kernel/service/service.ts'
import { key } from '../../src/store/store.ts'
import { acm, certificate } from './resources.ts'

type Scope = Pick<Arn, 'partition' | 'region' | 'account'>
interface Renewal {
  readonly scope: Scope
  readonly CertificateId: string
}

const DAY_MS = 24 * 60 * 60_000
/** In documents that wait: never change it. */
export const RENEW = 'acm.renew'

/** The newest certificate of a domain. */
export const domainKey = ({ account, region }: Pick<Scope, 'account' | 'region'>, domain: string) =>
  key('acm', 'domain', account, region, domain)

export const renewCertificate = acm
  .operation('RenewCertificate')
  .on(certificate.named('CertificateArn'))
  .run((call, _input, { scope, id }) => {
    const { CertificateId } = id
    const payload: Renewal = { scope, CertificateId }
    scheduleJob(call.unit, { id: `acm ${CertificateId}`, kind: RENEW, dueAt: call.now + DAY_MS, payload })
    return {}
  })

export const renewal: ServiceJob<Renewal> = {
  // `effect` would come first: what is done outside, which may be done twice. `run` is one transaction with the job's end.
  run: async (unit, { now }, { scope, CertificateId }) => {
    const row = await certificate.get(unit, scope, { CertificateId })
    if (!row) return
    certificate.put(unit, scope, { ...row, createdAt: now })
    unit.put(domainKey(scope, row.domain), { id: CertificateId })
  },
}

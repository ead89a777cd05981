/** The quota of certificates in an account. */
import type { Call } from '../../src/kernel/gate/call.ts'
import { acm, certificate } from './resource.ts'

/** Throws `LimitExceededException` when the account has all the certificates it may have. */
export async function requireRoom(call: Call): Promise<void> {
  const max = call.quotas['acm/CertificatesPerAccount']!
  const rows = await certificate.list(call.unit, call, { limit: max })
  if (rows.length >= max) throw acm.fail('LimitExceededException', `An account can have at most ${max} certificates.`)
}

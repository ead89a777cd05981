/** Certificates of custom domains: of ACM, for the name, and in use as long as the domain has them. */
import { X509Certificate } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { certificates } from '../../kernel/ports/certificates.ts'
import type { ServedDomainsPort } from '../../kernel/ports/served-domains.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { DomainRow } from './domains.ts'
import { at, invalidParameter, type PoolRow, poolArn } from './resources.ts'

/** Where CloudFront has its certificates, which Cognito's custom domains go through on AWS. */
const REGION = 'us-east-1'

/** Issued, of the same account, with a key, and for the name. */
export async function assertUsableCertificate(call: Call, domain: string, certificateArn: string): Promise<void> {
  const { account, region } = parseArn(certificateArn) ?? {}
  const isOwn = account === call.account && region === REGION
  const found = isOwn ? await call.use(certificates).read(call.unit, certificateArn) : undefined
  if (!found || new X509Certificate(found.chain).checkHost(domain, { subject: 'never' }) === undefined)
    throw invalidParameter(
      `The certificate ${certificateArn} cannot be used for ${domain}: it must be an issued certificate of this account in ${REGION} that names the domain.`,
    )
}

/** `before` and `after`: the certificate of the pool's custom domain; undefined for none. */
export async function changeUse(
  call: Call,
  pool: PoolRow,
  before: string | undefined,
  after: string | undefined,
): Promise<void> {
  if (before === after) return
  const { setUse } = call.use(certificates)
  if (before !== undefined) await setUse(call.unit, before, poolArn(pool), false)
  if (after !== undefined) await setUse(call.unit, after, poolArn(pool), true)
}

export const servedDomainsPort: ServedDomainsPort = {
  // Prefixes have no dot, and their keys have their Region's.
  certificateOf: async (reader, name) => {
    const row = name.includes('.') ? await reader.get<DomainRow>(at.domain(name)) : undefined
    return row?.domain === name ? row.certificateArn : undefined
  },
}

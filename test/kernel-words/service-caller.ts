/** ACM acts as its own service principal: it assumes a role of the customer that trusts it. */
import type * as STS from '@aws-sdk/client-sts'
import type { ActAs } from '../../src/kernel/gate/service-caller.ts'
import type { Api } from '../../src/kernel/service/api.ts'
import { type CertificateRow, certificate } from './resource.ts'

const sts: Api<typeof STS> = { id: 'sts' }

/** Throws what STS answers: `AccessDenied` where the role does not trust `acm.amazonaws.com`. */
export async function credentialsFor(actAs: ActAs, row: CertificateRow, RoleArn: string) {
  const { account, region } = row
  const source = certificate.arnOf({ partition: 'aws', account, region }, row)
  const acting = { service: 'acm.amazonaws.com', account, region, source }
  return (await actAs(acting, sts, 'AssumeRole', { RoleArn, RoleSessionName: row.id })).Credentials
}

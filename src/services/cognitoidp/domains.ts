/** Domains of pools, where managed login is reached: a prefix, or a name of the customer's own. */
import type { DomainDescriptionType } from '@aws-sdk/client-cognito-identity-provider'
import type { Call } from '../../kernel/gate/call.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { anything } from '../../kernel/resource/target.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { assertUsableCertificate, changeUse } from './domain-certificates.ts'
import { at, cognito, invalidParameter, type PoolRow, poolNamed } from './resources.ts'

export interface DomainRow {
  readonly domain: string
  readonly pool: string
  readonly account: string
  readonly region: string
  readonly version: number
  readonly certificateArn?: string | undefined
  readonly createdAt: number
}

/** Names that could be mistaken for the provider's own. */
const RESERVED = /aws|amazon|cognito/

/** Below these are the addresses of AWS's services and of prefix domains. */
const OF_AWS = /(^|\.)(amazonaws\.com(\.cn)?|amazoncognito\.com|api\.aws)$/

/** Whether a name leads to this installation itself, or to AWS. A certificate may be imported for any name, so it proves nothing. */
const isTaken = (call: Call, domain: string): boolean =>
  OF_AWS.test(domain) ||
  call
    .use(webOrigin)
    .origins()
    .some((origin) => new URL(origin).hostname === domain)

/** A prefix belongs to its Region; a name of the customer's own to the installation. */
export const domainId = (domain: string, region: string): string =>
  domain.includes('.') ? domain : `${domain}.${region}`

export async function domainByName(reader: Reader, domain: string, region: string): Promise<DomainRow | undefined> {
  return reader.get<DomainRow>(at.domain(domainId(domain, region)))
}

export const createUserPoolDomain = cognito
  .operation('CreateUserPoolDomain')
  .on(poolNamed)
  .run(async (call, input, { row: pool, save }) => {
    const domain = input.Domain.toLowerCase()
    const isCustom = input.CustomDomainConfig !== undefined
    if (!isCustom && (domain.includes('.') || RESERVED.test(domain)))
      throw invalidParameter(`Domain cannot contain reserved word: ${RESERVED.exec(domain)?.[0] ?? '.'}`)
    if (isCustom && !domain.includes('.')) throw invalidParameter('A custom domain is a name with at least two labels.')
    if (isCustom && isTaken(call, domain)) throw invalidParameter('The domain is not available.')
    const key = at.domain(domainId(domain, pool.region))
    if (await call.unit.get(key)) throw invalidParameter('Domain already associated with another user pool.')
    if (isCustom ? pool.customDomain !== undefined : pool.domain !== undefined)
      throw invalidParameter('The user pool already has a domain configured.')
    if (input.CustomDomainConfig) {
      await assertUsableCertificate(call, domain, input.CustomDomainConfig.CertificateArn)
      await changeUse(call, pool, undefined, input.CustomDomainConfig.CertificateArn)
    }
    const row: DomainRow = {
      domain,
      pool: pool.id,
      account: pool.account,
      region: pool.region,
      version: input.ManagedLoginVersion ?? 1,
      certificateArn: input.CustomDomainConfig?.CertificateArn,
      createdAt: call.now,
    }
    call.unit.put(key, row)
    save({ ...pool, ...(isCustom ? { customDomain: domain } : { domain }) })
    return { ManagedLoginVersion: row.version, ...(isCustom && { CloudFrontDomain: distribution(row) }) }
  })

/** In the place of a CloudFront distribution's name: where a custom domain's DNS has to point. */
const distribution = ({ domain }: DomainRow): string => domain

async function ownDomain(call: Call, pool: PoolRow, name: string): Promise<DomainRow> {
  const row = await domainByName(call.unit, name.toLowerCase(), pool.region)
  if (row?.pool !== pool.id) throw invalidParameter(`No such domain or user pool exists.`)
  return row
}

export const updateUserPoolDomain = cognito
  .operation('UpdateUserPoolDomain')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const before = await ownDomain(call, pool, input.Domain)
    const wanted = input.CustomDomainConfig?.CertificateArn
    if (wanted !== undefined) {
      if (pool.customDomain !== before.domain) throw invalidParameter('A prefix domain has no certificate.')
      await assertUsableCertificate(call, before.domain, wanted)
      await changeUse(call, pool, before.certificateArn, wanted)
    }
    const row: DomainRow = {
      ...before,
      version: input.ManagedLoginVersion ?? before.version,
      certificateArn: wanted ?? before.certificateArn,
    }
    call.unit.put(at.domain(domainId(row.domain, pool.region)), row)
    return {
      ManagedLoginVersion: row.version,
      ...(row.certificateArn !== undefined && { CloudFrontDomain: distribution(row) }),
    }
  })

export const deleteUserPoolDomain = cognito
  .operation('DeleteUserPoolDomain')
  .on(poolNamed)
  .run(async (call, input, { row: pool, save }) => {
    const row = await ownDomain(call, pool, input.Domain)
    call.unit.delete(at.domain(domainId(row.domain, pool.region)))
    await changeUse(call, pool, row.certificateArn, undefined)
    save({
      ...pool,
      ...(pool.domain === row.domain && { domain: undefined }),
      ...(pool.customDomain === row.domain && { customDomain: undefined }),
    })
    return {}
  })

export const describeUserPoolDomain = cognito
  .operation('DescribeUserPoolDomain')
  .on(anything)
  .run(async (call, input) => {
    const row = await domainByName(call.unit, input.Domain.toLowerCase(), call.region)
    // Another account's domain is as good as none.
    if (row?.account !== call.account) return { DomainDescription: {} }
    const DomainDescription: DomainDescriptionType = {
      UserPoolId: row.pool,
      AWSAccountId: row.account,
      Domain: row.domain,
      S3Bucket: `aws-cognito-prod-${row.region}-assets`,
      CloudFrontDistribution: distribution(row),
      Version: String(row.createdAt),
      Status: 'ACTIVE',
      ...(row.certificateArn !== undefined && { CustomDomainConfig: { CertificateArn: row.certificateArn } }),
      ManagedLoginVersion: row.version,
    }
    return { DomainDescription }
  })

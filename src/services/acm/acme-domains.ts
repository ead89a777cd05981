/** Domains that are proved for an ACME endpoint beforehand, so that its clients need no challenge. */
import type { AcmeDomainValidation } from '@aws-sdk/client-acm'
import type * as Route53 from '@aws-sdk/client-route-53'
import type { Call } from '../../kernel/gate/call.ts'
import { lifecycle } from '../../kernel/jobs/lifecycle.ts'
import type { Api } from '../../kernel/service/api.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { lengths } from '../../vault/aead.ts'
import {
  type DomainRow,
  type DomainState,
  domainsOf,
  domainValidation,
  type EndpointRow,
  endpoint,
} from './acme-resources.ts'
import { taggingOf } from './acme-tagging.ts'
import { checkRecord } from './domain-checks.ts'
import { baseOf, isSameOrAbove, readName } from './names.ts'
import { acm, badToken } from './resources.ts'

const route53: Api<typeof Route53> = { id: 'route53' }
const SECOND_MS = 1_000
const HOUR_MS = 60 * 60 * SECOND_MS
const DAY_MS = 24 * HOUR_MS
const PAGE_DEFAULT = 50
const RECORD_TTL = 300

/** Proved once, and again each day: removing the record revokes the approval. */
export const domainChecks = lifecycle<DomainState, DomainRow>('acm.acme-domain', {
  VALIDATING: {
    everyMs: ({ progress }, now) => Math.min(60 * SECOND_MS, Math.max(SECOND_MS, (now - progress.since) / 10)),
    ends: { afterMs: 72 * HOUR_MS, to: 'INVALID' },
    step: async (work, row) => {
      const { isProved, finding } = await checkRecord(work, row.record)
      return isProved ? { to: 'VALID', row: { finding, updatedAt: work.now } } : { row: { finding } }
    },
  },
  VALID: {
    everyMs: DAY_MS,
    step: async (work, row) => {
      const { isProved, finding } = await checkRecord(work, row.record)
      return isProved ? {} : { to: 'VALIDATING', row: { finding, updatedAt: work.now } }
    },
  },
  INVALID: 'end',
})

const created = taggingOf(endpoint, domainValidation)

export const createAcmeDomainValidation = acm
  .operation('CreateAcmeDomainValidation')
  .on(created('AcmeEndpointArn'))
  .run(async (call, input, { row: owner, tags }) => {
    const { DnsPrevalidation } = input.PrevalidationOptions as {
      DnsPrevalidation?: { DomainScope?: Readonly<Record<string, string>>; HostedZoneId?: string }
    }
    if (!DnsPrevalidation) throw acm.fail('ValidationException', 'PrevalidationOptions needs DnsPrevalidation.')
    const domain = readName(input.DomainName)
    if (domain.startsWith('*.'))
      throw acm.fail('ValidationException', 'Name the domain without an asterisk; wildcards are a DomainScope.')
    const { HostedZoneId } = DnsPrevalidation
    const row: Omit<DomainRow, 'progress'> = {
      id: call.newId(),
      endpointId: owner.id,
      account: owner.account,
      region: owner.region,
      partition: owner.partition,
      domain,
      scope: scopeIn(DnsPrevalidation.DomainScope),
      ...(HostedZoneId !== undefined && { hostedZoneId: HostedZoneId }),
      record: recordOf(call, owner, domain),
      createdAt: call.now,
      updatedAt: call.now,
      tags,
    }
    if (HostedZoneId !== undefined) await writeRecord(call, HostedZoneId, row.record)
    const at = domainValidation.key(owner, domainValidation.spec.idOf!(row as DomainRow))
    domainChecks.enter(call.unit, at, row, 'VALIDATING', call.now)
    return { AcmeDomainValidationArn: domainValidation.arnOf(owner, row as DomainRow) }
  })

/** The record is the endpoint's own: another endpoint's client cannot use it. */
function recordOf({ vault }: Pick<Call, 'vault'>, { id }: EndpointRow, domain: string): DomainRow['record'] {
  const digest = (part: string) =>
    vault
      .mac('authorization-message', lengths('acm/acme-domain', part, id, domain))
      .toString('hex')
      .slice(0, 32)
  return { name: `_${digest('name')}.${domain}.`, value: `_${digest('value')}.acm-validations.aws.` }
}

/** As the caller, whose permissions on the zone decide. */
async function writeRecord(call: Call, HostedZoneId: string, { name, value }: DomainRow['record']): Promise<void> {
  await call.forward(route53, 'ChangeResourceRecordSets', {
    HostedZoneId,
    ChangeBatch: {
      Changes: [
        {
          Action: 'UPSERT',
          ResourceRecordSet: { Name: name, Type: 'CNAME', TTL: RECORD_TTL, ResourceRecords: [{ Value: value }] },
        },
      ],
    },
  })
}

/** The domain itself unless it is disabled; what is below only where it is enabled. */
function scopeIn(scope: Readonly<Record<string, string>> = {}): DomainRow['scope'] {
  return {
    exact: scope['ExactDomain'] !== 'DISABLED',
    subdomains: scope['Subdomains'] === 'ENABLED',
    wildcards: scope['Wildcards'] === 'ENABLED',
  }
}

/** Whether a proved domain approves a name. */
export function approves({ domain, scope, progress }: DomainRow, name: string): boolean {
  const base = baseOf(name)
  if (progress.state !== 'VALID' || !isSameOrAbove(domain, base)) return false
  const isBelow = base !== domain
  if (isBelow && !scope.subdomains) return false
  return name.startsWith('*.') ? scope.wildcards : isBelow || scope.exact
}

export const describeAcmeDomainValidation = acm
  .operation('DescribeAcmeDomainValidation')
  .on(domainValidation.named('AcmeDomainValidationArn'))
  .run((_call, _input, { row }) => ({ AcmeDomainValidation: described(row) }))

export const listAcmeDomainValidations = acm
  .operation('ListAcmeDomainValidations')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, input, { row }) => {
    const rows = (await call.unit.range<DomainRow>(domainsOf(row, row.id))).map(({ document }) => document)
    const { items, next } = await pageOf(call, rows, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      query: row.id,
      bad: badToken,
    })
    return { AcmeDomainValidations: items.map(described), ...(next !== undefined && { NextToken: next }) }
  })

export const updateAcmeDomainValidation = acm
  .operation('UpdateAcmeDomainValidation')
  .on(domainValidation.named('AcmeDomainValidationArn'))
  .run((call, input, { row, id }) => {
    const options = input.PrevalidationOptions as
      | { DnsPrevalidation?: { DomainScope?: Readonly<Record<string, string>> } }
      | undefined
    const scope = options?.DnsPrevalidation?.DomainScope
    const at = domainValidation.key(row, id)
    const changed = { ...row, ...(scope && { scope: scopeIn(scope) }), updatedAt: call.now }
    if (row.progress.state === 'INVALID') domainChecks.enter(call.unit, at, changed, 'VALIDATING', call.now)
    else domainChecks.hurry(call.unit, at, changed, call.now)
    return {}
  })

export const deleteAcmeDomainValidation = acm
  .operation('DeleteAcmeDomainValidation')
  .on(domainValidation.named('AcmeDomainValidationArn'))
  .run((call, _input, { row, id }) => {
    domainChecks.leave(call.unit, domainValidation.key(row, id), row)
    return {}
  })

const enabled = (value: boolean) => (value ? ('ENABLED' as const) : ('DISABLED' as const))

function described(row: DomainRow): AcmeDomainValidation {
  const { scope, record, progress } = row
  return {
    AcmeDomainValidationArn: domainValidation.arnOf(row, row),
    AcmeEndpointArn: endpoint.arn(row, { AcmeEndpointId: row.endpointId }),
    DomainName: row.domain,
    PrevalidationType: 'DNS_PREVALIDATION',
    PrevalidationDetails: {
      DnsPrevalidation: {
        DomainScope: {
          ExactDomain: enabled(scope.exact),
          Subdomains: enabled(scope.subdomains),
          Wildcards: enabled(scope.wildcards),
        },
        ...(row.hostedZoneId !== undefined && { HostedZoneId: row.hostedZoneId }),
        ResourceRecord: { Name: record.name, Type: 'CNAME', Value: record.value },
      },
    },
    Status: progress.state,
    ...(progress.state === 'INVALID' && { FailureDetails: { Reason: 'TIMED_OUT', Message: row.finding } }),
    CreatedAt: new Date(row.createdAt),
    UpdatedAt: new Date(row.updatedAt),
  }
}

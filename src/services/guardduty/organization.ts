/** GuardDuty in an organization: its delegated administrator, and what is enabled in its accounts. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/gate/call.ts'
import { organizations as organizationsPort } from '../../kernel/ports/organizations.ts'
import { anything } from '../../kernel/resource/target.ts'
import type { Api } from '../../kernel/service/api.ts'
import { badRequest, guardduty } from './faults.ts'
import { allMembers, isAssociated, putMember } from './member-rows.ts'
import {
  type AutoEnable,
  type ConfigurationRow,
  configurationKey,
  configurationOf,
  configurationsOf,
  enableAdministrator,
  type FeatureConfiguration,
  reconcile,
} from './organization-members.ts'
import { detectorIn, ofDetector, PRINCIPAL } from './resources.ts'

const organizations: Api<typeof Organizations> = { id: 'organizations' }

/** Throws unless the caller is the management account of an organization with all features. */
async function ownOrganization(call: Call) {
  const membership = await call.use(organizationsPort).membership(call.unit, call.account)
  if (membership?.management !== call.account)
    throw badRequest(
      'The request is rejected because the current account is not the management account of an organization.',
    )
  if (!membership.allFeatures)
    throw badRequest('The request is rejected because the organization does not have all features enabled.')
  return membership
}

export const enableOrganizationAdminAccount = guardduty
  .operation('EnableOrganizationAdminAccount')
  .on(anything)
  .run(async (call, { AdminAccountId = '' }) => {
    const membership = await ownOrganization(call)
    const port = call.use(organizationsPort)
    const administrator = await port.membership(call.unit, AdminAccountId)
    if (administrator?.id !== membership.id)
      throw badRequest('The request is rejected because the given account ID is not an account of the organization.')
    const others = await call.unit.range<ConfigurationRow>(configurationsOf(membership.id))
    if (others.some(({ document }) => document.administrator !== AdminAccountId))
      throw badRequest(
        'The request is rejected because another account is already enabled as GuardDuty delegated administrator for the organization.',
      )
    const at = configurationKey(membership.id, call.region)
    if (await call.unit.get(at)) return {}
    if (!membership.trusted.includes(PRINCIPAL))
      await call.forward(organizations, 'EnableAWSServiceAccess', { ServicePrincipal: PRINCIPAL })
    if (AdminAccountId !== call.account && !administrator.administers.includes(PRINCIPAL))
      await call.forward(organizations, 'RegisterDelegatedAdministrator', {
        AccountId: AdminAccountId,
        ServicePrincipal: PRINCIPAL,
      })
    await enableAdministrator(call, { account: AdminAccountId, region: call.region })
    call.unit.put(at, {
      administrator: AdminAccountId,
      region: call.region,
      organization: membership.id,
      members: 'NONE',
      since: call.now,
      features: {},
    } satisfies ConfigurationRow)
    return {}
  })

export const disableOrganizationAdminAccount = guardduty
  .operation('DisableOrganizationAdminAccount')
  .on(anything)
  .run(async (call, { AdminAccountId = '' }) => {
    const membership = await ownOrganization(call)
    const at = configurationKey(membership.id, call.region)
    const row = await call.unit.get<ConfigurationRow>(at)
    if (row?.administrator !== AdminAccountId)
      throw badRequest(
        'The request is rejected because the given account ID is not enabled as GuardDuty delegated administrator for the organization.',
      )
    call.unit.delete(at)
    const place = { account: AdminAccountId, region: call.region }
    for (const member of await allMembers(call.unit, place))
      if (member.isOfOrganization && isAssociated(member))
        putMember(call.unit, { ...member, relationship: 'Removed', updatedAt: call.now }, member)
    const others = await call.unit.range<ConfigurationRow>(configurationsOf(membership.id))
    if (others.length === 0 && AdminAccountId !== call.account)
      await call.forward(organizations, 'DeregisterDelegatedAdministrator', {
        AccountId: AdminAccountId,
        ServicePrincipal: PRINCIPAL,
      })
    return {}
  })

export const listOrganizationAdminAccounts = guardduty
  .operation('ListOrganizationAdminAccounts')
  .on(anything)
  .run(async (call) => {
    const membership = await ownOrganization(call)
    const row = await call.unit.get<ConfigurationRow>(configurationKey(membership.id, call.region))
    return { AdminAccounts: row ? [{ AdminAccountId: row.administrator, AdminStatus: 'ENABLED' }] : [] }
  })

async function ownConfiguration(call: Call): Promise<ConfigurationRow> {
  const row = await configurationOf(call, call)
  if (!row)
    throw badRequest(
      'The request is rejected because the current account is not the delegated GuardDuty administrator of an organization.',
    )
  return row
}

const FEATURES = [
  'S3_DATA_EVENTS',
  'EKS_AUDIT_LOGS',
  'EBS_MALWARE_PROTECTION',
  'RDS_LOGIN_EVENTS',
  'EKS_RUNTIME_MONITORING',
  'LAMBDA_NETWORK_LOGS',
  'RUNTIME_MONITORING',
] as const

const ADDITIONAL: Readonly<
  Partial<Record<(typeof FEATURES)[number], readonly GuardDuty.OrgFeatureAdditionalConfiguration[]>>
> = {
  EKS_RUNTIME_MONITORING: ['EKS_ADDON_MANAGEMENT'],
  RUNTIME_MONITORING: ['EKS_ADDON_MANAGEMENT', 'ECS_FARGATE_AGENT_MANAGEMENT', 'EC2_AGENT_MANAGEMENT'],
}

export const describeOrganizationConfiguration = guardduty
  .operation('DescribeOrganizationConfiguration')
  .on(ofDetector)
  .run(async (call) => {
    const row = await ownConfiguration(call)
    const of = (name: (typeof FEATURES)[number]): AutoEnable => row.features[name]?.autoEnable ?? 'NONE'
    const isOn = (name: (typeof FEATURES)[number]): boolean => of(name) !== 'NONE'
    const members = await allMembers(call.unit, call)
    return {
      AutoEnable: row.members !== 'NONE',
      AutoEnableOrganizationMembers: row.members,
      MemberAccountLimitReached: members.length >= call.quotas['guardduty/MembersPerAdministrator']!,
      DataSources: {
        S3Logs: { AutoEnable: isOn('S3_DATA_EVENTS') },
        Kubernetes: { AuditLogs: { AutoEnable: isOn('EKS_AUDIT_LOGS') } },
        MalwareProtection: {
          ScanEc2InstanceWithFindings: { EbsVolumes: { AutoEnable: isOn('EBS_MALWARE_PROTECTION') } },
        },
      },
      Features: FEATURES.map((Name) => ({
        Name,
        AutoEnable: of(Name),
        ...(ADDITIONAL[Name] && {
          AdditionalConfiguration: ADDITIONAL[Name].map((each) => ({
            Name: each,
            AutoEnable: row.features[Name]?.additional?.[each] ?? 'NONE',
          })),
        }),
      })),
    }
  })

/** The older members for some of the features. */
function fromDataSources(sources: GuardDuty.OrganizationDataSourceConfigurations | undefined) {
  const entry = (Name: GuardDuty.OrgFeature, on: boolean | undefined): GuardDuty.OrganizationFeatureConfiguration[] =>
    on === undefined ? [] : [{ Name, AutoEnable: on ? 'NEW' : 'NONE' }]
  return [
    ...entry('S3_DATA_EVENTS', sources?.S3Logs?.AutoEnable),
    ...entry('EKS_AUDIT_LOGS', sources?.Kubernetes?.AuditLogs?.AutoEnable),
    ...entry('EBS_MALWARE_PROTECTION', sources?.MalwareProtection?.ScanEc2InstanceWithFindings?.EbsVolumes?.AutoEnable),
  ]
}

export const updateOrganizationConfiguration = guardduty
  .operation('UpdateOrganizationConfiguration')
  .on(ofDetector)
  .run(async (call, input) => {
    const row = await ownConfiguration(call)
    if (input.AutoEnable !== undefined && input.AutoEnableOrganizationMembers !== undefined)
      throw badRequest(
        'The request is rejected because autoEnable and autoEnableOrganizationMembers cannot be specified in one request.',
      )
    if (input.Features?.length && input.DataSources)
      throw badRequest('The request is rejected because features and data sources cannot be configured in one request.')
    const features: Record<string, FeatureConfiguration> = { ...row.features } as Record<string, FeatureConfiguration>
    for (const { Name = '', AutoEnable, AdditionalConfiguration = [] } of input.Features ??
      fromDataSources(input.DataSources)) {
      const before = features[Name]
      const additional = Object.fromEntries(
        AdditionalConfiguration.map((each) => [each.Name!, (each.AutoEnable ?? 'NONE') as AutoEnable]),
      )
      features[Name] = {
        autoEnable: (AutoEnable ?? before?.autoEnable ?? 'NONE') as AutoEnable,
        additional: { ...before?.additional, ...additional },
      }
    }
    const isOn = (name: string) => (features[name]?.autoEnable ?? 'NONE') !== 'NONE'
    if (isOn('EKS_RUNTIME_MONITORING') && isOn('RUNTIME_MONITORING'))
      throw badRequest(
        'The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be enabled at the same time.',
      )
    const members =
      input.AutoEnableOrganizationMembers ??
      (input.AutoEnable === undefined ? row.members : input.AutoEnable ? 'NEW' : 'NONE')
    const changed: ConfigurationRow = {
      ...row,
      members,
      since: members === 'NEW' && row.members !== 'NEW' ? call.now : row.since,
      features,
    }
    call.unit.put(configurationKey(row.organization, row.region), changed)
    await reconcile(call, changed)
    return {}
  })

export const getOrganizationStatistics = guardduty
  .operation('GetOrganizationStatistics')
  .on(anything)
  .run(async (call) => {
    const row = await ownConfiguration(call)
    const accounts = await call.use(organizationsPort).accountsOf(call.unit, row.organization)
    const members = (await allMembers(call.unit, call)).filter(isAssociated)
    const watched = await Promise.all(
      [call.account, ...members.map(({ account }) => account)].map((account) =>
        detectorIn(call.unit, { account, region: call.region }),
      ),
    )
    const detectors = watched.flatMap((each) => (each ? [each] : []))
    return {
      OrganizationDetails: {
        UpdatedAt: new Date(call.now),
        OrganizationStatistics: {
          TotalAccountsCount: accounts.length,
          MemberAccountsCount: members.length,
          ActiveAccountsCount: detectors.length,
          EnabledAccountsCount: detectors.filter(({ isEnabled }) => isEnabled).length,
          CountByFeature: FEATURES.map((Name) => ({
            Name,
            EnabledAccountsCount: detectors.filter(({ features }) => features[Name]?.status === 'ENABLED').length,
          })),
        },
      },
    }
  })

/** Usage: what GuardDuty costs, which is nothing here, by account, data source, feature and resource. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import { guardduty } from './faults.ts'
import { visiblePlaces } from './member-rows.ts'
import { ofDetector } from './resources.ts'

const nothing = (unit: string | undefined): GuardDuty.Total => ({ Amount: '0.00', Unit: unit ?? 'USD' })

const DATA_SOURCES = [
  'FLOW_LOGS',
  'CLOUD_TRAIL',
  'DNS_LOGS',
  'S3_LOGS',
  'KUBERNETES_AUDIT_LOGS',
  'EC2_MALWARE_SCAN',
] as const
const FEATURES = ['FLOW_LOGS', 'CLOUD_TRAIL', 'DNS_LOGS', 'S3_DATA_EVENTS'] as const

export const getUsageStatistics = guardduty
  .operation('GetUsageStatistics')
  .on(ofDetector)
  .run(async (call, { UsageStatisticType, UsageCriteria, Unit }) => {
    const wanted = UsageCriteria?.AccountIds
    const accounts = (await visiblePlaces(call.unit, call))
      .map(({ account }) => account)
      .filter((account) => !wanted || wanted.includes(account))
    const Total = nothing(Unit)
    switch (UsageStatisticType) {
      case 'SUM_BY_ACCOUNT':
        return { UsageStatistics: { SumByAccount: accounts.map((AccountId) => ({ AccountId, Total })) } }
      case 'SUM_BY_DATA_SOURCE': {
        const sources = UsageCriteria?.DataSources?.length ? UsageCriteria.DataSources : [...DATA_SOURCES]
        return { UsageStatistics: { SumByDataSource: sources.map((DataSource) => ({ DataSource, Total })) } }
      }
      case 'SUM_BY_FEATURES': {
        const features = UsageCriteria?.Features?.length ? UsageCriteria.Features : [...FEATURES]
        return { UsageStatistics: { SumByFeature: features.map((Feature) => ({ Feature, Total })) } }
      }
      case 'TOP_ACCOUNTS_BY_FEATURE': {
        const features = UsageCriteria?.Features?.length ? UsageCriteria.Features : [...FEATURES]
        const Accounts = accounts.map((AccountId) => ({ AccountId, Total }))
        return { UsageStatistics: { TopAccountsByFeature: features.map((Feature) => ({ Feature, Accounts })) } }
      }
      case 'SUM_BY_RESOURCE':
        return { UsageStatistics: { SumByResource: [] } }
      default:
        return { UsageStatistics: { TopResources: [] } }
    }
  })

/** Nothing is charged, so that there is no trial either. */
export const getRemainingFreeTrialDays = guardduty
  .operation('GetRemainingFreeTrialDays')
  .on(ofDetector)
  .run(async (call, { AccountIds = [] }) => {
    const visible = new Set((await visiblePlaces(call.unit, call)).map(({ account }) => account))
    const none = { FreeTrialDaysRemaining: 0 }
    return {
      Accounts: AccountIds.filter((account) => visible.has(account)).map((AccountId) => ({
        AccountId,
        DataSources: { CloudTrail: none, DnsLogs: none, FlowLogs: none, S3Logs: none },
        Features: FEATURES.map((Name) => ({ Name, ...none })),
      })),
      UnprocessedAccounts: AccountIds.filter((account) => !visible.has(account)).map((AccountId) => ({
        AccountId,
        Result:
          'The request is rejected because the given account ID is not an associated member of the current account.',
      })),
    }
  })

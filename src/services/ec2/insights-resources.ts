/** What Network Insights keeps: paths, access scopes and their analyses. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { arn } from './resources.ts'
import { define, type Item } from './words.ts'

export const insightsPath = define<EC2.NetworkInsightsPath>({
  kind: 'network-insights-path',
  type: 'AWS::EC2::NetworkInsightsPath',
  arn: arn('network-insights-path', 'NetworkInsightsPathId'),
  prefix: 'nip',
  code: 'InvalidNetworkInsightsPathId',
  absent: (id) => `The network insights path ID '${id}' does not exist`,
  show: (row) => ({ ...row.data, CreatedDate: new Date(row.createdAt) }),
})

export const insightsAnalysis = define<EC2.NetworkInsightsAnalysis>({
  kind: 'network-insights-analysis',
  type: 'AWS::EC2::NetworkInsightsAnalysis',
  arn: arn('network-insights-analysis', 'NetworkInsightsAnalysisId'),
  prefix: 'nia',
  code: 'InvalidNetworkInsightsAnalysisId',
  absent: (id) => `The network insights analysis ID '${id}' does not exist`,
  show: (row) => ({ ...row.data, StartDate: new Date(row.createdAt) }),
})

export interface AccessScopeRow extends Item<EC2.NetworkInsightsAccessScope> {
  readonly content: EC2.NetworkInsightsAccessScopeContent
}

export const accessScope = define<EC2.NetworkInsightsAccessScope, AccessScopeRow>({
  kind: 'network-insights-access-scope',
  type: 'AWS::EC2::NetworkInsightsAccessScope',
  arn: arn('network-insights-access-scope', 'NetworkInsightsAccessScopeId'),
  prefix: 'nis',
  code: 'InvalidNetworkInsightsAccessScopeId',
  absent: (id) => `The network insights access scope ID '${id}' does not exist`,
  show: (row) => ({ ...row.data, CreatedDate: new Date(row.createdAt), UpdatedDate: new Date(row.createdAt) }),
})

export interface ScopeAnalysisRow extends Item<EC2.NetworkInsightsAccessScopeAnalysis> {
  readonly findings: readonly EC2.AccessScopeAnalysisFinding[]
}

export const accessScopeAnalysis = define<EC2.NetworkInsightsAccessScopeAnalysis, ScopeAnalysisRow>({
  kind: 'network-insights-access-scope-analysis',
  type: 'AWS::EC2::NetworkInsightsAccessScopeAnalysis',
  arn: arn('network-insights-access-scope-analysis', 'NetworkInsightsAccessScopeAnalysisId'),
  prefix: 'nisa',
  code: 'InvalidNetworkInsightsAccessScopeAnalysisId',
  absent: (id) => `The network insights access scope analysis ID '${id}' does not exist`,
  show: (row) => ({ ...row.data, StartDate: new Date(row.createdAt), EndDate: new Date(row.createdAt) }),
})

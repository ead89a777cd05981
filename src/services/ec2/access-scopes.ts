/** Network Insights access scopes: what must not be reachable, and their analyses. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Snapshots } from '../../engines/network/families.ts'
import { INTERNET, type Question } from '../../engines/network/reachability.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, missing } from './faults.ts'
import { snapshotsOf } from './graph.ts'
import { component, idIn, isBetween, PROTOCOLS, TOO_MANY, verdictOf } from './insights.ts'
import { accessScope, accessScopeAnalysis } from './insights-resources.ts'

export const createNetworkInsightsAccessScope = op(
  'CreateNetworkInsightsAccessScope',
  [accessScope.created()],
  (call, input, [{ id, arn, create }]) => {
    const paths = (requested: LooseInput[] | undefined) => requested ?? []
    const content: EC2.NetworkInsightsAccessScopeContent = {
      NetworkInsightsAccessScopeId: id,
      MatchPaths: paths(input.MatchPaths as LooseInput[] | undefined) as EC2.AccessScopePath[],
      ExcludePaths: paths(input.ExcludePaths as LooseInput[] | undefined) as EC2.AccessScopePath[],
    }
    if (content.MatchPaths!.length === 0) throw missing('matchPaths')
    for (const path of [...content.MatchPaths!, ...content.ExcludePaths!]) assertAnalyzable(path)
    const row = create({ NetworkInsightsAccessScopeId: id, NetworkInsightsAccessScopeArn: arn }, { content })
    return { NetworkInsightsAccessScope: accessScope.show(row, call.now), NetworkInsightsAccessScopeContent: content }
  },
)

const TYPES: readonly string[] = ['AWS::EC2::InternetGateway', 'AWS::EC2::NetworkInterface', 'AWS::EC2::Instance']

/** What a scope names that is not understood must not look like a scope without findings. */
function assertAnalyzable({ Source, Destination, ThroughResources }: EC2.AccessScopePath): void {
  if (ThroughResources?.length)
    throw fault('NotImplemented', 'Merlon does not implement access scopes with resources on the way.')
  for (const end of [Source, Destination]) {
    const { Resources: ids = [], ResourceTypes: types = [] } = end?.ResourceStatement ?? {}
    if (
      end?.PacketHeaderStatement?.SourcePrefixLists ??
      end?.PacketHeaderStatement?.SourceAddresses ??
      end?.PacketHeaderStatement?.DestinationAddresses
    ) {
      throw fault('NotImplemented', 'Merlon does not implement access scopes by addresses.')
    }
    if (types.some((type) => !TYPES.includes(type)))
      throw fault('NotImplemented', `Merlon does not implement access scopes of ${types.join(', ')}.`)
    if (ids.some((id) => !/^(eni|igw|i)-/.test(idIn(id))))
      throw fault('NotImplemented', `Merlon does not implement access scopes of ${ids.join(', ')}.`)
  }
}

export const deleteNetworkInsightsAccessScope = op(
  'DeleteNetworkInsightsAccessScope',
  [accessScope.at('NetworkInsightsAccessScopeId')],
  (_call, _input, [{ id, remove }]) => {
    remove()
    return { NetworkInsightsAccessScopeId: id }
  },
)

export const describeNetworkInsightsAccessScopes = describe('DescribeNetworkInsightsAccessScopes', accessScope, {
  ids: 'NetworkInsightsAccessScopeIds',
  result: 'NetworkInsightsAccessScopes',
  filters: '',
})

export const getNetworkInsightsAccessScopeContent = op(
  'GetNetworkInsightsAccessScopeContent',
  [accessScope.at('NetworkInsightsAccessScopeId')],
  (_call, _input, [{ row }]) => ({
    NetworkInsightsAccessScopeContent: row.content,
  }),
)

function endsOf(snapshots: Snapshots, statement: EC2.PathStatement | undefined): readonly string[] {
  const { Resources: ids = [], ResourceTypes: types = [] } = statement?.ResourceStatement ?? {}
  const { interfaces } = snapshots.ipv4.network
  if (ids.length === 0 && types.length === 0) return [INTERNET, ...interfaces.map(({ id }) => id)]
  const named = ids.map(idIn)
  return [
    ...(named.some((id) => id.startsWith('igw-')) || types.includes('AWS::EC2::InternetGateway') ? [INTERNET] : []),
    ...interfaces
      .filter(
        ({ id, instance: machine }) =>
          named.includes(id) ||
          (machine !== undefined && named.includes(machine)) ||
          types.includes('AWS::EC2::NetworkInterface') ||
          (machine !== undefined && types.includes('AWS::EC2::Instance')),
      )
      .map(({ id }) => id),
  ]
}

function questionsOf(snapshots: Snapshots, path: EC2.AccessScopePath): readonly Question[] {
  const header = path.Destination?.PacketHeaderStatement ?? path.Source?.PacketHeaderStatement
  const protocols = header?.Protocols?.length ? header.Protocols.map((name) => PROTOCOLS[name]) : [undefined]
  const ports = header?.DestinationPorts?.length ? header.DestinationPorts.map(Number) : [undefined]
  return endsOf(snapshots, path.Source).flatMap((from) =>
    endsOf(snapshots, path.Destination)
      .filter((to) => to !== from)
      .flatMap((to) => protocols.flatMap((protocol) => ports.map((port) => ({ from, to, protocol, port })))),
  )
}

const QUESTIONS_MAX = 100_000
/** Between them other requests are answered. */
const QUESTIONS_IN_A_ROW = 20
const FINDINGS_MAX = 1_000

export const startNetworkInsightsAccessScopeAnalysis = op(
  'StartNetworkInsightsAccessScopeAnalysis',
  [accessScopeAnalysis.created(), accessScope.at('NetworkInsightsAccessScopeId')],
  async (call, _input, [{ id, arn, create }, scope]) => {
    const snapshots = await snapshotsOf(call)
    const { MatchPaths = [], ExcludePaths = [] } = scope.row.content
    const excluded = new Set(
      ExcludePaths.flatMap((path) => questionsOf(snapshots, path).map(({ from, to }) => `${from} ${to}`)),
    )
    const questions = MatchPaths.flatMap((path) => questionsOf(snapshots, path)).filter(
      ({ from, to }) => !excluded.has(`${from} ${to}`),
    )
    if (questions.length > QUESTIONS_MAX)
      throw fault(
        'LimitExceeded',
        `The scope matches ${questions.length} pairs of resources: at most ${QUESTIONS_MAX} are analyzed.`,
      )
    const findings: EC2.AccessScopeAnalysisFinding[] = []
    let isWhole = true
    for (const [index, question] of questions.entries()) {
      if (index % QUESTIONS_IN_A_ROW === 0) await nextTurn()
      const found = verdictOf(snapshots, question)
      isWhole &&= found !== undefined
      if (!found) continue
      const { snapshot, verdict } = found
      if (!verdict.isReachable || findings.length >= FINDINGS_MAX) continue
      findings.push({
        NetworkInsightsAccessScopeAnalysisId: id,
        NetworkInsightsAccessScopeId: scope.id,
        FindingId: `${id}-${findings.length + 1}`,
        FindingComponents: verdict.forward.map((hop, index) => component(call, snapshot, hop, index, verdict)),
      })
    }
    const row = create(
      {
        NetworkInsightsAccessScopeAnalysisId: id,
        NetworkInsightsAccessScopeAnalysisArn: arn,
        NetworkInsightsAccessScopeId: scope.id,
        StartDate: new Date(call.now),
        EndDate: new Date(call.now),
        Status: isWhole ? 'succeeded' : 'failed',
        ...(!isWhole && { StatusMessage: TOO_MANY }),
        FindingsFound: findings.length > 0 ? 'true' : 'false',
        AnalyzedEniCount: snapshots.ipv4.network.interfaces.length,
      },
      { findings },
    )
    return { NetworkInsightsAccessScopeAnalysis: { ...accessScopeAnalysis.show(row, call.now), Status: 'running' } }
  },
)

export const describeNetworkInsightsAccessScopeAnalyses = describe(
  'DescribeNetworkInsightsAccessScopeAnalyses',
  accessScopeAnalysis,
  {
    ids: 'NetworkInsightsAccessScopeAnalysisIds',
    result: 'NetworkInsightsAccessScopeAnalyses',
    filters: 'status findings-found network-insights-access-scope-id',
    narrow: ({ NetworkInsightsAccessScopeId: scope, StartDate }, input) =>
      (input.NetworkInsightsAccessScopeId === undefined || input.NetworkInsightsAccessScopeId === scope) &&
      isBetween(StartDate, input.AnalysisStartTimeBegin, input.AnalysisStartTimeEnd),
  },
)

export const deleteNetworkInsightsAccessScopeAnalysis = op(
  'DeleteNetworkInsightsAccessScopeAnalysis',
  [accessScopeAnalysis.at('NetworkInsightsAccessScopeAnalysisId')],
  (_call, _input, [{ id, remove }]) => {
    remove()
    return { NetworkInsightsAccessScopeAnalysisId: id }
  },
)

export const getNetworkInsightsAccessScopeAnalysisFindings = op(
  'GetNetworkInsightsAccessScopeAnalysisFindings',
  [accessScopeAnalysis.at('NetworkInsightsAccessScopeAnalysisId')],
  (_call, _input, [{ id, row }]) => ({
    NetworkInsightsAccessScopeAnalysisId: id,
    AnalysisStatus: row.data.Status,
    AnalysisFindings: [...row.findings],
  }),
)

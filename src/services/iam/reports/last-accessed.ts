/** Which services a user, group, role or policy may use, and when each was last used. */
import type * as IAM from '@aws-sdk/client-iam'
import { isKnownAction } from '../../../kernel/gate/actions.ts'
import type { Call } from '../../../kernel/gate/call.ts'
import { parseArn } from '../../../kernel/resource/arn.ts'
import { actionsByService, serviceName } from '../../../kernel/resource/policy-reference.ts'
import { anything, type ResolvedTarget, type Target } from '../../../kernel/resource/target.ts'
import { type CompiledPolicy, compilePolicy, readPolicy } from '../../../policy/index.ts'
import { listItems } from '../lists.ts'
import { usersOf } from '../policies/attachments.ts'
import { findManagedPolicy } from '../policies/policies.ts'
import { role, user } from '../resources.ts'
import { policiesOf, policySource, type Source } from '../simulation/simulated-principals.ts'
import { membersOf } from '../users/memberships.ts'
import { date, iam } from '../words.ts'
import { accessOf } from './access-history.ts'
import { type About, type Entity, reportOf, requestReport } from './access-reports.ts'
import { grantBudget, grantedActions } from './granted-services.ts'

type ReportSubject = Source | { readonly kind: 'policy'; readonly arn: string; readonly compiled: CompiledPolicy }

/** A user, group, role or managed policy by its ARN. */
const entityOrPolicy: Target<{ readonly Arn?: string | undefined }, ReportSubject> = {
  find: async (call, { Arn: arn = '' }): Promise<ResolvedTarget<ReportSubject>> => {
    const parsed = parseArn(arn)
    if (parsed?.service !== 'iam' || !parsed.resource.startsWith('policy/')) {
      return policySource.find(call, { PolicySourceArn: arn }) as Promise<ResolvedTarget<ReportSubject>>
    }
    const acted = { arn, type: 'AWS::IAM::ManagedPolicy', account: parsed.account }
    const found = await findManagedPolicy(call.unit, arn, call.account)
    const missing = () => iam.fail('NoSuchEntityException', `Policy ${arn} does not exist or is not attachable.`)
    if (!found) return { acted, row: undefined, missing }
    const compiled = compilePolicy(readPolicy(found.text, 'identity'), { id: found.name, arn, kind: 'identity' })
    return { acted: { ...acted, tags: found.tags }, row: { kind: 'policy', arn, compiled } }
  },
}

export const generateServiceLastAccessedDetails = iam
  .operation('GenerateServiceLastAccessedDetails')
  .on(entityOrPolicy)
  .run(async (call, { Granularity: granularity = 'SERVICE_LEVEL' }, subject) => {
    const policies =
      subject.kind === 'policy' ? [subject.compiled] : (await policiesOf(call, subject)).map(({ compiled }) => compiled)
    const granted: Record<string, readonly string[]> = {}
    const budget = grantBudget()
    for (const [namespace, actions] of await actionsByService()) {
      const names = grantedActions(policies, actions, budget)
      // Of services that Merlon does not serve nothing is known below the service.
      if (names.length > 0) granted[namespace] = names.filter(isKnownAction).map((name) => name.split(':')[1]!)
    }
    const entities = await entitiesOf(call, subject)
    return { JobId: requestReport(call, { kind: 'services', arn: subject.arn, granularity, granted, entities }) }
  })

/** Whose calls count for it. */
async function entitiesOf(call: Call, subject: ReportSubject): Promise<readonly Entity[]> {
  const users = new Set<string>()
  const roles = new Set<string>()
  if (subject.kind === 'user') users.add(subject.row.name)
  if (subject.kind === 'role') roles.add(subject.row.name)
  if (subject.kind === 'group') for (const name of await membersOf(call, subject.row.name)) users.add(name)
  if (subject.kind === 'policy') {
    for (const name of await usersOf(call, subject.arn, 'user')) users.add(name)
    for (const name of await usersOf(call, subject.arn, 'role')) roles.add(name)
    for (const of of await usersOf(call, subject.arn, 'group')) {
      for (const name of await membersOf(call, of)) users.add(name)
    }
  }
  const entity = (Type: Entity['Type'], Arn: string, row: { name: string; id: string; path: string }): Entity => ({
    Arn,
    Name: row.name,
    Type,
    Id: row.id,
    Path: row.path,
  })
  return [
    ...(await Promise.all([...users].map((name) => user.require(call, { name })))).map((row) =>
      entity('USER', user.arnOf(call, row), row),
    ),
    ...(await Promise.all([...roles].map((name) => role.require(call, { name })))).map((row) =>
      entity('ROLE', role.arnOf(call, row), row),
    ),
  ]
}

export const getServiceLastAccessedDetails = iam
  .operation('GetServiceLastAccessedDetails')
  .on(anything)
  .run(async (call, input) => {
    const { about, ...row } = await reportOf(call, input.JobId, 'services')
    const job = { JobCreationDate: date(row.createdAt), JobType: about.granularity }
    if (row.completedAt === undefined) {
      return { JobStatus: 'IN_PROGRESS', ...job, ServicesLastAccessed: [], JobCompletionDate: undefined }
    }
    const accessed = await Promise.all(
      about.entities.map(async ({ Arn }) => ({ Arn, by: await accessOf(call.unit, call.account, Arn, call.now) })),
    )
    const services = Object.keys(about.granted).sort()
    const { items, rest } = await listItems(call, services, (namespace) => namespace, input)
    const ServicesLastAccessed = await Promise.all(
      items.map(async (namespace): Promise<IAM.ServiceLastAccessed> => {
        const uses = accessed.flatMap(({ Arn, by }) => (by[namespace] ? [{ Arn, ...by[namespace] }] : []))
        const last = latest(uses)
        return {
          ServiceName: await serviceName(namespace),
          ServiceNamespace: namespace,
          ...(last && {
            LastAuthenticated: date(last.timeMs),
            LastAuthenticatedEntity: last.Arn,
            LastAuthenticatedRegion: last.region,
          }),
          TotalAuthenticatedEntities: uses.length,
          ...(about.granularity === 'ACTION_LEVEL' && {
            TrackedActionsLastAccessed: actionsOf(about, namespace, uses),
          }),
        }
      }),
    )
    return { JobStatus: 'COMPLETED', ...job, ServicesLastAccessed, JobCompletionDate: date(row.completedAt), ...rest }
  })

interface Use {
  readonly Arn: string
  readonly timeMs: number
  readonly region: string
  readonly actions: Readonly<Record<string, { readonly timeMs: number; readonly region: string }>>
}

const latest = <T extends { readonly timeMs: number }>(uses: readonly T[]): T | undefined =>
  uses.reduce<T | undefined>((last, use) => (last && last.timeMs >= use.timeMs ? last : use), undefined)

function actionsOf(
  { granted }: Extract<About, { kind: 'services' }>,
  namespace: string,
  uses: readonly Use[],
): IAM.TrackedActionLastAccessed[] {
  return (granted[namespace] ?? []).map((ActionName) => {
    const last = latest(
      uses.flatMap(({ Arn, actions }) => (actions[ActionName] ? [{ Arn, ...actions[ActionName] }] : [])),
    )
    return {
      ActionName,
      ...(last && {
        LastAccessedEntity: last.Arn,
        LastAccessedTime: date(last.timeMs),
        LastAccessedRegion: last.region,
      }),
    }
  })
}

export const getServiceLastAccessedDetailsWithEntities = iam
  .operation('GetServiceLastAccessedDetailsWithEntities')
  .on(anything)
  .run(async (call, input) => {
    const { about, ...row } = await reportOf(call, input.JobId, 'services')
    const { ServiceNamespace: namespace } = input
    if (!about.granted[namespace]) {
      throw iam.fail('NoSuchEntityException', `The service ${namespace} is not in the report of the job ${row.id}.`)
    }
    const job = { JobCreationDate: date(row.createdAt) }
    if (row.completedAt === undefined) {
      return { JobStatus: 'IN_PROGRESS', ...job, EntityDetailsList: [], JobCompletionDate: undefined }
    }
    const { items, rest } = await listItems(call, about.entities, ({ Arn }) => Arn, input)
    const EntityDetailsList = await Promise.all(
      items.map(async (EntityInfo) => {
        const use = (await accessOf(call.unit, call.account, EntityInfo.Arn, call.now))[namespace]
        return { EntityInfo, ...(use && { LastAuthenticated: date(use.timeMs) }) }
      }),
    )
    return { JobStatus: 'COMPLETED', ...job, EntityDetailsList, JobCompletionDate: date(row.completedAt), ...rest }
  })

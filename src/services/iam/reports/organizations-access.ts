/** Which services an organization lets a part of it use, and when they were last used there. */
import type * as IAM from '@aws-sdk/client-iam'
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../../kernel/gate/call.ts'
import { actionsByService, serviceName } from '../../../kernel/resource/policy-reference.ts'
import { anything } from '../../../kernel/resource/target.ts'
import type { Api } from '../../../kernel/service/api.ts'
import { type CompiledPolicy, compilePolicy, readPolicy } from '../../../policy/index.ts'
import { listItems } from '../lists.ts'
import { date, iam } from '../words.ts'
import { accessOfAccount } from './access-history.ts'
import { reportOf, requestReport } from './access-reports.ts'
import { grantBudget, grantedActions } from './granted-services.ts'

const organizations: Api<typeof Organizations> = { id: 'organizations' }
const TYPE = 'SERVICE_CONTROL_POLICY'

export const generateOrganizationsAccessReport = iam
  .operation('GenerateOrganizationsAccessReport')
  .on(anything)
  .run(async (call, { EntityPath: path, OrganizationsPolicyId: policyId }) => {
    const membership = await call.ports.organizations.membership(call.unit, call.account)
    const [organization, ...targets] = path.split('/').filter(Boolean)
    if (!membership || organization !== membership.id) throw invalid(path)
    const accounts = await accountsUnder(call, targets, path)

    const management = targets.at(-1) === membership.management
    const chosen = policyId === undefined ? undefined : [[await policyOf(call, policyId)]]
    const levels = chosen ?? (management ? [] : await Promise.all(targets.map((target) => policiesAt(call, target))))
    const granted: string[] = []
    const budget = grantBudget()
    for (const [namespace, actions] of await actionsByService()) {
      if (levels.every((policies) => grantedActions(policies, actions, budget).length > 0)) granted.push(namespace)
    }
    return { JobId: requestReport(call, { kind: 'organization', accounts, granted }) }
  })

/** The accounts at and below the path, each with its own. Every part of the path must be where it says. */
async function accountsUnder(call: Call, targets: readonly string[], path: string) {
  const [root] = targets
  const at = `${path.replace(/\/$/, '')}/`
  const found: { readonly id: string; readonly path: string }[] = []
  let NextToken: string | undefined
  do {
    const page = await call.forward(organizations, 'ListAccounts', { NextToken })
    for (const { Id: id = '' } of page.Accounts ?? []) {
      const standing = await call.ports.organizations.standing(id)
      const own = standing && `${standing.path}${id}/`
      if (own?.startsWith(at)) found.push({ id, path: own.slice(0, -1) })
    }
    NextToken = page.NextToken
  } while (NextToken)
  if (root === undefined || (found.length === 0 && !(await isUnit(call, targets)))) throw invalid(path)
  return found
}

/** A unit without accounts is a path, too. */
async function isUnit(call: Call, targets: readonly string[]): Promise<boolean> {
  for (const [i, child] of targets.entries()) {
    if (i === 0) continue
    const { Parents } = await call.forward(organizations, 'ListParents', { ChildId: child })
    if (Parents?.[0]?.Id !== targets[i - 1]) return false
  }
  return true
}

async function policiesAt(call: Call, TargetId: string): Promise<readonly CompiledPolicy[]> {
  const policies: CompiledPolicy[] = []
  let NextToken: string | undefined
  do {
    const page = await call.forward(organizations, 'ListPoliciesForTarget', { TargetId, Filter: TYPE, NextToken })
    for (const { Id } of page.Policies ?? []) policies.push(await policyOf(call, Id!))
    NextToken = page.NextToken
  } while (NextToken)
  return policies
}

async function policyOf(call: Call, PolicyId: string): Promise<CompiledPolicy> {
  const { Policy } = await call.forward(organizations, 'DescribePolicy', { PolicyId })
  return compilePolicy(readPolicy(Policy!.Content!, 'scp'), { id: PolicyId, kind: 'scp' })
}

const ORDERS: Readonly<Record<string, (a: Detail, b: Detail) => number>> = {
  SERVICE_NAMESPACE_ASCENDING: (a, b) => (a.ServiceNamespace < b.ServiceNamespace ? -1 : 1),
  SERVICE_NAMESPACE_DESCENDING: (a, b) => (a.ServiceNamespace < b.ServiceNamespace ? 1 : -1),
  LAST_AUTHENTICATED_TIME_ASCENDING: (a, b) => a.lastMs - b.lastMs,
  LAST_AUTHENTICATED_TIME_DESCENDING: (a, b) => b.lastMs - a.lastMs,
}

interface Detail {
  readonly ServiceNamespace: string
  readonly lastMs: number
  readonly shown: Omit<IAM.AccessDetail, 'ServiceName' | 'ServiceNamespace'>
}

export const getOrganizationsAccessReport = iam
  .operation('GetOrganizationsAccessReport')
  .on(anything)
  .run(async (call, input) => {
    const { about, ...row } = await reportOf(call, input.JobId, 'organization')
    const JobCreationDate = date(row.createdAt)
    if (row.completedAt === undefined) return { JobStatus: 'IN_PROGRESS', JobCreationDate }

    const accesses = await Promise.all(
      about.accounts.map(async ({ id, path }) => ({ path, by: await accessOfAccount(call.unit, id, call.now) })),
    )
    const details = about.granted.map((ServiceNamespace): Detail => {
      const uses = accesses.flatMap(({ path, by }) => (by[ServiceNamespace] ? [{ path, ...by[ServiceNamespace] }] : []))
      const last = uses.sort((a, b) => b.timeMs - a.timeMs)[0]
      return {
        ServiceNamespace,
        lastMs: last?.timeMs ?? 0,
        shown: last
          ? {
              Region: last.region,
              EntityPath: last.path,
              LastAuthenticatedTime: date(last.timeMs),
              TotalAuthenticatedEntities: uses.length,
            }
          : { TotalAuthenticatedEntities: 0 },
      }
    })
    const ordered = details.sort(ORDERS[input.SortKey ?? 'SERVICE_NAMESPACE_ASCENDING'])
    const places = new Map(ordered.map((detail, i) => [detail, String(i).padStart(6, '0')]))
    const { items, rest } = await listItems(call, ordered, (detail) => places.get(detail)!, input)
    return {
      JobStatus: 'COMPLETED',
      JobCreationDate,
      JobCompletionDate: date(row.completedAt),
      NumberOfServicesAccessible: about.granted.length,
      NumberOfServicesNotAccessed: details.filter(({ lastMs }) => lastMs === 0).length,
      AccessDetails: await Promise.all(
        items.map(async ({ ServiceNamespace, shown }) => ({
          ServiceName: await serviceName(ServiceNamespace),
          ServiceNamespace,
          ...shown,
        })),
      ),
      ...rest,
    }
  })

function invalid(path: string) {
  return iam.fail('InvalidInputException', `Invalid entity path: ${path} names nothing in your organization.`)
}

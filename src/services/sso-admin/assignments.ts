/** Assignments: which people and groups have which permission set in which account. They come and go by jobs. */
import type { Call } from '../../kernel/gate/call.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { rowsOf } from './lists.ts'
import { rowsBelow } from './pages.ts'
import { withoutInstanceOfAccount } from './permission-sets.ts'
import { deprovision, provision, ReservedRoleError } from './provisioning.ts'
import {
  FORGET_REQUEST,
  type RequestJob,
  type RequestRow,
  RUN_REQUEST,
  request,
  requestKey,
  requestNamed,
  requestsOf,
  schedule,
  shownProvisioning,
  shownRequest,
} from './requests.ts'
import { type InstanceRow, instance as instanceType, invalid, permissionSet, SCOPE, sso } from './resources.ts'
import {
  type AssignmentRow,
  assignmentKey,
  assignmentOfKey,
  assignmentsIn,
  assignmentsOf,
  type PrincipalType,
  type ProvisionedRow,
  provisionedKey,
  provisionedOf,
} from './rows.ts'
import { onPermissionSet, theInstance } from './target.ts'

/** Accounts whose roles one run of a job changes. */
const ACCOUNTS_IN_A_RUN = 25

interface OfAccount {
  readonly InstanceArn: string
  readonly PermissionSetArn: string
  readonly TargetId: string
}

const inAccount = onPermissionSet<OfAccount>(({ TargetId }) => TargetId)

/** AWS: roles in the management account are the management account's to give. */
function refuseManagement(call: Call, instance: InstanceRow, accountId: string | undefined): void {
  if (call.account === instance.account || accountId !== instance.account) return
  throw sso.fail('AccessDeniedException', 'Only the management account assigns access to the management account.')
}

export const createAccountAssignment = sso
  .operation('CreateAccountAssignment')
  .on(inAccount)
  .run((call, input, { instance, row }) => {
    withoutInstanceOfAccount(instance)
    refuseManagement(call, instance, input.TargetId)
    const made = request(call, instance, row, {
      kind: 'create',
      targetId: input.TargetId,
      principalType: input.PrincipalType,
      principalId: input.PrincipalId.toLowerCase(),
    })
    return { AccountAssignmentCreationStatus: shownRequest(made) }
  })

export const deleteAccountAssignment = sso
  .operation('DeleteAccountAssignment')
  .on(inAccount)
  .run((call, input, { instance, row }) => {
    refuseManagement(call, instance, input.TargetId)
    const made = request(call, instance, row, {
      kind: 'delete',
      targetId: input.TargetId,
      principalType: input.PrincipalType,
      principalId: input.PrincipalId.toLowerCase(),
    })
    return { AccountAssignmentDeletionStatus: shownRequest(made) }
  })

export const provisionPermissionSet = sso
  .operation('ProvisionPermissionSet')
  .on(
    onPermissionSet<{
      readonly InstanceArn: string
      readonly PermissionSetArn: string
      readonly TargetId?: string | undefined
    }>(({ TargetId }) => TargetId ?? '*'),
  )
  .run((call, { TargetType, TargetId }, { instance, row }) => {
    if (TargetType === 'AWS_ACCOUNT' && TargetId === undefined) throw invalid('TargetId names the account.')
    if (TargetType !== 'AWS_ACCOUNT' && TargetId !== undefined)
      throw invalid('TargetId names one account, and the target type means all.')
    refuseManagement(call, instance, TargetId)
    const made = request(call, instance, row, {
      kind: 'provision',
      ...(TargetId !== undefined && { targetId: TargetId }),
    })
    return { PermissionSetProvisioningStatus: shownProvisioning(made) }
  })

export const describeAccountAssignmentCreationStatus = sso
  .operation('DescribeAccountAssignmentCreationStatus')
  .on(theInstance())
  .run(async (call, { AccountAssignmentCreationRequestId: id }, { instance }) => ({
    AccountAssignmentCreationStatus: shownRequest(await requestNamed(call, instance, 'create', id)),
  }))

export const describeAccountAssignmentDeletionStatus = sso
  .operation('DescribeAccountAssignmentDeletionStatus')
  .on(theInstance())
  .run(async (call, { AccountAssignmentDeletionRequestId: id }, { instance }) => ({
    AccountAssignmentDeletionStatus: shownRequest(await requestNamed(call, instance, 'delete', id)),
  }))

export const describePermissionSetProvisioningStatus = sso
  .operation('DescribePermissionSetProvisioningStatus')
  .on(theInstance())
  .run(async (call, { ProvisionPermissionSetRequestId: id }, { instance }) => ({
    PermissionSetProvisioningStatus: shownProvisioning(await requestNamed(call, instance, 'provision', id)),
  }))

export const listAccountAssignmentCreationStatus = sso
  .operation('ListAccountAssignmentCreationStatus')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const { metadata, rest } = await requestsOf(call, instance, 'create', input)
    return { AccountAssignmentsCreationStatus: metadata, ...rest }
  })

export const listAccountAssignmentDeletionStatus = sso
  .operation('ListAccountAssignmentDeletionStatus')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const { metadata, rest } = await requestsOf(call, instance, 'delete', input)
    return { AccountAssignmentsDeletionStatus: metadata, ...rest }
  })

export const listPermissionSetProvisioningStatus = sso
  .operation('ListPermissionSetProvisioningStatus')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const { metadata, rest } = await requestsOf(call, instance, 'provision', input)
    return { PermissionSetsProvisioningStatus: metadata, ...rest }
  })

const shown = (instance: InstanceRow, row: AssignmentRow) => ({
  AccountId: row.accountId,
  PermissionSetArn: `arn:aws:sso:::permissionSet/${instance.id}/${row.permissionSetId}`,
  PrincipalType: row.principalType,
  PrincipalId: row.principalId,
})

export const listAccountAssignments = sso
  .operation('ListAccountAssignments')
  .on(
    onPermissionSet<{ readonly InstanceArn: string; readonly PermissionSetArn: string; readonly AccountId: string }>(
      ({ AccountId }) => AccountId,
    ),
  )
  .run(async (call, input, { instance, row }) => {
    const below = assignmentsIn(instance.id, input.AccountId, row.id)
    const { items, rest } = await rowsBelow<AssignmentRow>(call, below, input)
    return { AccountAssignments: items.map((each) => shown(instance, each)), ...rest }
  })

/** Of a person with those of the person's groups. */
export const listAccountAssignmentsForPrincipal = sso
  .operation('ListAccountAssignmentsForPrincipal')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const principals: [PrincipalType, string][] = [[input.PrincipalType, input.PrincipalId.toLowerCase()]]
    if (input.PrincipalType === 'USER') {
      const groups = await call.use(identityStore).groupsOf(call.unit, instance.storeId, principals[0]![1])
      principals.push(...groups.map((id): [PrincipalType, string] => ['GROUP', id]))
    }
    const account = input.Filter?.AccountId
    const found = await Promise.all(
      principals.map(([type, id]) => call.unit.range<AssignmentRow>(assignmentsOf(instance.id, type, id))),
    )
    const all = found
      .flat()
      .map(({ document }) => document)
      .filter(({ accountId }) => account === undefined || accountId === account)
    const { items, rest } = await rowsOf(call, all, (each) => JSON.stringify(shown(instance, each)), input)
    return { AccountAssignments: items.map((each) => shown(instance, each)), ...rest }
  })

const isAccountOf = async (
  { ports }: Pick<Parameters<ServiceJob['run']>[1], 'ports'>,
  reader: Parameters<ServiceJob['run']>[0],
  instance: InstanceRow,
  accountId: string,
): Promise<boolean> => {
  const membership = await ports.organizations.membership(reader, accountId)
  return membership?.management === instance.account
}

/**
 * Runs one request. What fails because of the request (a missing policy) ends it; what fails because of the server is
 * tried again.
 */
export const runRequest: ServiceJob<RequestJob> = {
  run: async (unit, work, job) => {
    const at = requestKey(job.instanceId, job.kind, job.requestId)
    const row = await unit.get<RequestRow>(at)
    const instance = await instanceType.get(unit, SCOPE, { InstanceId: job.instanceId })
    if (row?.status !== 'IN_PROGRESS' || !instance) return
    const end = (failureReason?: string): void => {
      unit.put(at, {
        ...row,
        status: failureReason === undefined ? 'SUCCEEDED' : 'FAILED',
        ...(failureReason !== undefined && { failureReason }),
      } satisfies RequestRow)
    }
    const set = await permissionSet.get(unit, SCOPE, {
      InstanceId: instance.id,
      PermissionSetId: row.permissionSetId,
    })
    if (!set) return end(`The permission set ${row.permissionSetArn} does not exist.`)
    const { targetId: accountId, principalType, principalId } = row
    try {
      if (job.kind === 'provision') {
        if (accountId !== undefined) {
          if (!(await unit.get(provisionedKey(instance.id, accountId, set.id))))
            return end(`The permission set has no assignment in account ${accountId}.`)
          await provision(unit, work, instance, set, accountId)
          return end()
        }
        const portion = await unit.range<ProvisionedRow>(provisionedOf(instance.id, set.id), {
          after: job.after,
          limit: ACCOUNTS_IN_A_RUN,
        })
        for (const { document } of portion) await provision(unit, work, instance, set, document.accountId)
        const last = portion.at(-1)
        if (last && portion.length === ACCOUNTS_IN_A_RUN) return schedule(unit, work.now, { ...job, after: last.key })
        return end()
      }
      const assignment: AssignmentRow = {
        accountId: accountId!,
        permissionSetId: set.id,
        principalType: principalType!,
        principalId: principalId!,
        createdAt: work.now,
      }
      if (job.kind === 'delete') {
        if (!(await unit.get(assignmentKey(instance.id, assignment)))) return end('The assignment does not exist.')
        unit.delete(assignmentKey(instance.id, assignment))
        unit.delete(assignmentOfKey(instance.id, assignment))
        const rest = await unit.range(assignmentsIn(instance.id, accountId!, set.id), { limit: 1 })
        if (rest.length === 0) await deprovision(unit, work, instance, set.id, accountId!)
        return end()
      }
      const people = work.use(identityStore)
      const principal =
        principalType === 'USER'
          ? await people.user(unit, instance.storeId, principalId!)
          : await people.group(unit, instance.storeId, principalId!)
      if (!principal) return end(`${principalType} ${principalId} not found.`)
      if (!(await isAccountOf(work, unit, instance, accountId!)))
        return end(`Account ${accountId} is not a member of the organization.`)
      await provision(unit, work, instance, set, accountId!)
      unit.put(assignmentKey(instance.id, assignment), assignment)
      unit.put(assignmentOfKey(instance.id, assignment), assignment)
      return end()
    } catch (error) {
      if (error instanceof ReservedRoleError) return end(error.message)
      throw error
    }
  },
}

export const forgetRequest: ServiceJob<RequestJob> = {
  run: async (unit, _work, job) => unit.delete(requestKey(job.instanceId, job.kind, job.requestId)),
}

export const requestJobs = { [RUN_REQUEST]: runRequest, [FORGET_REQUEST]: forgetRequest }

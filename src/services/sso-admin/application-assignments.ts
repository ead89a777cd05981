/** Assignments of applications: which people and groups may use one. */
import type { Call } from '../../kernel/gate/call.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import type { PortalLookup } from '../../kernel/ports/sso-instances.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { rowsOf } from './lists.ts'
import { rowsBelow } from './pages.ts'
import {
  type ApplicationRow,
  application,
  applicationArn,
  conflict,
  type InstanceRow,
  notFound,
  SCOPE,
  sso,
} from './resources.ts'
import { belowInstance, type PrincipalType } from './rows.ts'
import { onApplication, theInstance } from './target.ts'

interface AssignmentRow {
  readonly applicationId: string
  readonly principalType: PrincipalType
  readonly principalId: string
}

const assignmentKey = (instanceId: string, row: AssignmentRow): Key =>
  key('sso', 'application-assignment', instanceId, row.applicationId, row.principalType, row.principalId)
const assignmentOfKey = (instanceId: string, row: AssignmentRow): Key =>
  key('sso', 'application-assignment-of', instanceId, row.principalType, row.principalId, row.applicationId)

const assignmentsTo = (instanceId: string, applicationId: string): Key =>
  under('sso', 'application-assignment', instanceId, applicationId)
const assignmentsOf = (instanceId: string, type: PrincipalType, id: string): Key =>
  under('sso', 'application-assignment-of', instanceId, type, id)

export async function removeAssignments(unit: Unit, instanceId: string, applicationId: string): Promise<void> {
  for (const { document } of await unit.range<AssignmentRow>(assignmentsTo(instanceId, applicationId))) {
    unit.delete(assignmentKey(instanceId, document))
    unit.delete(assignmentOfKey(instanceId, document))
  }
}

interface Principal {
  readonly PrincipalId: string
  readonly PrincipalType: PrincipalType
}

const assignmentOf = (row: ApplicationRow, { PrincipalId, PrincipalType }: Principal): AssignmentRow => ({
  applicationId: row.id,
  principalType: PrincipalType,
  principalId: PrincipalId.toLowerCase(),
})

export const createApplicationAssignment = sso
  .operation('CreateApplicationAssignment')
  .on(onApplication())
  .run(async (call, input, { instance, row }) => {
    const assignment = assignmentOf(row, input)
    const people = call.use(identityStore)
    const principal = await (assignment.principalType === 'USER' ? people.user : people.group)(
      call.unit,
      instance.storeId,
      assignment.principalId,
    )
    if (!principal) throw notFound(`${input.PrincipalType} ${input.PrincipalId} not found.`)
    if (await call.unit.get(assignmentKey(instance.id, assignment))) throw conflict('The assignment exists already.')
    call.unit.put(assignmentKey(instance.id, assignment), assignment)
    call.unit.put(assignmentOfKey(instance.id, assignment), assignment)
    return {}
  })

async function existing(call: Call, instance: InstanceRow, assignment: AssignmentRow): Promise<AssignmentRow> {
  if (await call.unit.get(assignmentKey(instance.id, assignment))) return assignment
  throw notFound('The principal is not assigned to the application.')
}

export const deleteApplicationAssignment = sso
  .operation('DeleteApplicationAssignment')
  .on(onApplication())
  .run(async (call, input, { instance, row }) => {
    const assignment = await existing(call, instance, assignmentOf(row, input))
    call.unit.delete(assignmentKey(instance.id, assignment))
    call.unit.delete(assignmentOfKey(instance.id, assignment))
    return {}
  })

export const describeApplicationAssignment = sso
  .operation('DescribeApplicationAssignment')
  .on(onApplication())
  .run(async (call, input, { instance, row }) => {
    const { principalType, principalId } = await existing(call, instance, assignmentOf(row, input))
    return { PrincipalType: principalType, PrincipalId: principalId, ApplicationArn: applicationArn(row) }
  })

export const listApplicationAssignments = sso
  .operation('ListApplicationAssignments')
  .on(onApplication())
  .run(async (call, input, { instance, row }) => {
    const { items, rest } = await rowsBelow<AssignmentRow>(call, assignmentsTo(instance.id, row.id), input)
    const ApplicationArn = applicationArn(row)
    return {
      ApplicationAssignments: items.map(({ principalType, principalId }) => ({
        ApplicationArn,
        PrincipalId: principalId,
        PrincipalType: principalType,
      })),
      ...rest,
    }
  })

/** Of a person with those of the person's groups. */
export const listApplicationAssignmentsForPrincipal = sso
  .operation('ListApplicationAssignmentsForPrincipal')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const id = input.PrincipalId.toLowerCase()
    const principals: [PrincipalType, string][] = [[input.PrincipalType, id]]
    if (input.PrincipalType === 'USER')
      for (const group of await call.use(identityStore).groupsOf(call.unit, instance.storeId, id))
        principals.push(['GROUP', group])
    const rows = await Promise.all(
      principals.map(([type, each]) => call.unit.range<AssignmentRow>(assignmentsOf(instance.id, type, each))),
    )
    const all = rows.flat().map(({ document: { applicationId, principalId, principalType } }) => ({
      ApplicationArn: `arn:aws:sso::${instance.account}:application/${instance.id}/${applicationId}`,
      PrincipalId: principalId,
      PrincipalType: principalType,
    }))
    const wanted = input.Filter?.ApplicationArn
    const kept = all.filter(({ ApplicationArn }) => wanted === undefined || ApplicationArn === wanted)
    const { items, rest } = await rowsOf(call, kept, (each) => JSON.stringify(each), input)
    return { ApplicationAssignments: [...items], ...rest }
  })

/** Whether a person may use an application: by the person's own assignment or a group's. */
export async function isAssigned(
  { reader, people }: PortalLookup,
  { id, storeId }: Pick<InstanceRow, 'id' | 'storeId'>,
  row: ApplicationRow,
  userId: string,
): Promise<boolean> {
  if (!row.isAssignmentRequired) return true
  const groups = await people.groupsOf(reader, storeId, userId)
  const principals: readonly [PrincipalType, string][] = [
    ['USER', userId],
    ...groups.map((each): [PrincipalType, string] => ['GROUP', each]),
  ]
  for (const [principalType, principalId] of principals) {
    if (await reader.get(assignmentKey(id, { applicationId: row.id, principalType, principalId }))) return true
  }
  return false
}

/** The applications that a person may use, by name. */
export async function applicationsOf(
  { reader, people }: PortalLookup,
  { id, storeId }: Pick<InstanceRow, 'id' | 'storeId'>,
  userId: string,
): Promise<readonly ApplicationRow[]> {
  const groups = await people.groupsOf(reader, storeId, userId)
  const prefixes = [assignmentsOf(id, 'USER', userId), ...groups.map((group) => assignmentsOf(id, 'GROUP', group))]
  const found = await Promise.all(prefixes.map((prefix) => reader.range<AssignmentRow>(prefix)))
  const assigned = new Set(found.flat().map(({ document }) => document.applicationId))
  const rows = await reader.range<ApplicationRow>(belowInstance(application.prefix(SCOPE), id))
  return rows
    .map(({ document }) => document)
    .filter((row) => !row.isAssignmentRequired || assigned.has(row.id))
    .sort((a, b) => (`${a.name} ${a.id}` < `${b.name} ${b.id}` ? -1 : 1))
}

/** Making and deleting the roles that belong to a service. */
import type { Call } from '../../../kernel/gate/call.ts'
import { MissingPortError } from '../../../kernel/ports/port.ts'
import {
  type ServiceLinkedRoleName,
  type ServiceLinkedRolesPort,
  serviceLinkedRoleUse,
} from '../../../kernel/ports/service-linked-roles.ts'
import type { Target } from '../../../kernel/resource/target.ts'
import { uniqueId } from '../../../kernel/service/id.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { key } from '../../../store/store.ts'
import { count } from '../counts.ts'
import { dropAttachment, indexAttachment } from '../policies/attachments.ts'
import { type RoleRow, role } from '../resources.ts'
import { iam, noSuchEntity } from '../words.ts'
import { createdRole, removeRole } from './roles.ts'
import linked from './service-linked-roles.json' with { type: 'json' }

interface Linked {
  /** What follows `AWSServiceRoleFor`. */
  readonly role: string
  /** Name of the policy AWS attaches, below `aws-service-role/`. */
  readonly policy: string
  /** Services of which there may be several roles, distinguished by a suffix. */
  readonly suffixes?: true
  /** Of roles that AWS describes although their creator did not. */
  readonly description?: string
}

const services: Readonly<Record<string, Linked>> = linked as Record<string, Linked>

interface Linking {
  readonly AWSServiceName: string
  readonly CustomSuffix?: string | undefined
}

interface RoleUsage {
  readonly Region: string
  readonly Resources: string[]
}

interface DeletionTask {
  readonly roleArn: string
  /** Why it failed; absent: it succeeded. */
  readonly uses?: readonly RoleUsage[]
}

const taskKey = (call: Call, id: string) => key('iam', 'role-deletion', call.account, id)

export const createServiceLinkedRole = iam
  .operation('CreateServiceLinkedRole')
  .on(
    role.created(({ AWSServiceName, CustomSuffix }: Linking) => ({
      name: roleName(AWSServiceName, CustomSuffix),
      path: `/aws-service-role/${AWSServiceName}/`,
    })),
  )
  .run(async (call, input, { id: { name }, create }) => {
    const { AWSServiceName: service, CustomSuffix: suffix } = input
    const known = services[service]
    if (!known)
      throw iam.fail('InvalidInputException', `Invalid service principal: ${service} has no service-linked role.`)
    if (suffix !== undefined && !known.suffixes) {
      throw iam.fail('InvalidInputException', `Custom suffix is not allowed for ${service}`)
    }
    const description = input.Description ?? known.description
    if (await role.get(call.unit, call, { name })) {
      throw iam.fail(
        'InvalidInputException',
        `Service role name ${name} has been taken in this account, please try a different suffix.`,
      )
    }
    await count(call, 'Roles', 1)

    const row = create(linkedRow(call, { service, known, name, description }))
    return { Role: await createdRole(call, row) }
  })

/** A new role, whose policy is indexed in the same transaction. */
function linkedRow(
  call: Pick<Call, 'unit' | 'now' | 'account'>,
  { service, known, name, description }: LinkedRole,
): RoleRow {
  const policyArn = `arn:aws:iam::aws:policy/aws-service-role/${known.policy}`
  indexAttachment(call, policyArn, 'role', name)
  return {
    name,
    path: `/aws-service-role/${service}/`,
    id: uniqueId('AROA'),
    createdAt: call.now,
    ...(description !== undefined && { description }),
    trust: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    }),
    trusted: {},
    maxSessionSeconds: 3600,
    tags: {},
    attached: [policyArn],
    inline: {},
    linkedService: service,
  }
}

interface LinkedRole {
  readonly service: string
  readonly known: Linked
  readonly name: string
  readonly description: string | undefined
}

const placeOf = ({ account }: ServiceLinkedRoleName) => ({ partition: 'aws', region: '', account })
const rowOf = (reader: Pick<Reader, 'get'>, linkedRole: ServiceLinkedRoleName): Promise<RoleRow | undefined> =>
  role.get(reader, placeOf(linkedRole), { name: roleName(linkedRole.service, undefined) })

export const serviceLinkedRolesPort: ServiceLinkedRolesPort = {
  arnOf: ({ account, service }) =>
    `arn:aws:iam::${account}:role/aws-service-role/${service}/${roleName(service, undefined)}`,
  exists: async (reader, linkedRole) => (await rowOf(reader, linkedRole)) !== undefined,
  ensure: async ({ unit, now, quotas }, linkedRole) => {
    const { account, service } = linkedRole
    const known = services[service]
    if (!known) throw new Error(`${service} has no service-linked role`)
    if (!(await rowOf(unit, linkedRole))) {
      const call = { unit, now, quotas, account }
      await count(call, 'Roles', 1)
      const name = roleName(service, undefined)
      role.put(unit, placeOf(linkedRole), linkedRow(call, { service, known, name, description: known.description }))
    }
    return serviceLinkedRolesPort.arnOf(linkedRole)
  },
  putPolicy: async (unit, linkedRole, name, document) => {
    const row = await rowOf(unit, linkedRole)
    if (!row) return
    const { [name]: _replaced, ...others } = row.inline
    role.put(unit, placeOf(linkedRole), {
      ...row,
      inline: document === undefined ? others : { ...others, [name]: document },
    })
  },
  subjectOf: async (reader, linkedRole) => {
    const row = await rowOf(reader, linkedRole)
    return row && { kind: 'role', name: row.name, id: row.id, sessionName: linkedRole.service.split('.')[0]! }
  },
}

/** What still needs a role, if its service says so. */
async function usesOf(call: Call, service: string): Promise<readonly RoleUsage[]> {
  try {
    const resources = await call.use(serviceLinkedRoleUse(service)).resources(call.unit, call.account)
    const byRegion = new Map<string, string[]>()
    for (const { region, arn } of resources) byRegion.set(region, [...(byRegion.get(region) ?? []), arn])
    return [...byRegion].map(([Region, Resources]) => ({ Region, Resources }))
  } catch (error) {
    if (error instanceof MissingPortError) return []
    throw error
  }
}

/** The task is decided with the request: it has deleted the role, or failed because resources of the service need it. */
export const deleteServiceLinkedRole = iam
  .operation('DeleteServiceLinkedRole')
  .on(role.named('RoleName'))
  .run(async (call, _input, found) => {
    const { row } = found
    if (row.linkedService === undefined) throw noSuchEntity('role', row.name)
    const DeletionTaskId = `task${row.path}${row.name}/${call.newId()}`
    const uses = await usesOf(call, row.linkedService)
    call.unit.put(taskKey(call, DeletionTaskId), {
      roleArn: found.arn,
      ...(uses.length > 0 && { uses }),
    } satisfies DeletionTask)
    if (uses.length > 0) return { DeletionTaskId }
    for (const arn of row.attached) dropAttachment(call, arn, 'role', row.name)
    await removeRole(call, found)
    return { DeletionTaskId }
  })

/** The role in `task/aws-service-role/SERVICE/ROLE/UUID`. It may be deleted: only its ARN is known. */
const roleOfTask: Target<{ readonly DeletionTaskId: string }, undefined> = {
  find: (call, { DeletionTaskId: id }) => {
    const RoleNameWithPath = id.split('/').slice(1, -1).join('/')
    if (!role.form.accepts('RoleNameWithPath', RoleNameWithPath)) throw noSuchTask(id)
    const arn = role.form.print(call, { RoleNameWithPath })
    return { acted: { arn, type: role.spec.type, account: call.account }, row: undefined }
  },
}

export const getServiceLinkedRoleDeletionStatus = iam
  .operation('GetServiceLinkedRoleDeletionStatus')
  .on(roleOfTask)
  .run(async (call, input) => {
    const task = await call.unit.get<DeletionTask>(taskKey(call, input.DeletionTaskId))
    if (!task) throw noSuchTask(input.DeletionTaskId)
    if (!task.uses) return { Status: 'SUCCEEDED' }
    const Reason = 'The role cannot be deleted: resources of its service need it.'
    return { Status: 'FAILED', Reason: { Reason, RoleUsageList: [...task.uses] } }
  })

function roleName(service: string, suffix: string | undefined): string {
  const base = `AWSServiceRoleFor${services[service]?.role ?? ''}`
  return suffix === undefined ? base : `${base}_${suffix}`
}

function noSuchTask(id: string) {
  return iam.fail('NoSuchEntityException', `Deletion task ${id} cannot be found.`)
}

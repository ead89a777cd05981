/** Making and deleting the roles that belong to a service. */
import type { Call } from '../../kernel/call.ts'
import { key } from '../../store/store.ts'
import { dropAttachment, indexAttachment } from './attachments.ts'
import { count } from './counts.ts'
import { iam, type RoleRow, role } from './resources.ts'
import { createdRole, removeRole } from './roles.ts'
import linked from './service-linked-roles.json' with { type: 'json' }

interface Linked {
  /** What follows `AWSServiceRoleFor`. */
  readonly role: string
  /** Name of the policy AWS attaches, below `aws-service-role/`. */
  readonly policy: string
  /** Services of which there may be several roles, told apart by a suffix. */
  readonly suffixes?: true
  /** Of roles that AWS describes although their creator did not. */
  readonly description?: string
}

const services: Readonly<Record<string, Linked>> = linked as Record<string, Linked>

interface DeletionTask {
  readonly roleArn: string
}

const taskKey = (call: Call, id: string) => key('iam', 'role-deletion', call.account, id)

export const createServiceLinkedRole = iam
  .operation('CreateServiceLinkedRole')
  .on(
    role.made((input) => ({
      name: roleName(input.AWSServiceName, input.CustomSuffix),
      path: `/aws-service-role/${input.AWSServiceName}/`,
    })),
  )
  .given((input) => ({ 'iam:AWSServiceName': input.AWSServiceName }))
  .run(async (call, input) => {
    const { AWSServiceName: service, CustomSuffix: suffix } = input
    const known = services[service]
    if (!known)
      throw iam.fail('InvalidInputException', `Invalid service principal: ${service} has no service-linked role.`)
    if (suffix !== undefined && !known.suffixes) {
      throw iam.fail('InvalidInputException', `Custom suffix is not allowed for ${service}`)
    }
    const name = roleName(service, suffix)
    const description = input.Description ?? known.description
    if (await role.get(call, name)) {
      throw iam.fail(
        'InvalidInputException',
        `Service role name ${name} has been taken in this account, please try a different suffix.`,
      )
    }
    await count(call, 'Roles', 1)

    const policyArn = `arn:aws:iam::aws:policy/aws-service-role/${known.policy}`
    indexAttachment(call, policyArn, 'role', name)
    const row = role.save(call, {
      name,
      path: `/aws-service-role/${service}/`,
      id: call.uniqueId('AROA'),
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
    })
    return { Role: await createdRole(call, row) }
  })

/** Nothing of ours holds on to such a role: it is gone with the commit, and the task it names has succeeded. */
export const deleteServiceLinkedRole = iam
  .operation('DeleteServiceLinkedRole')
  .on(role.named('RoleName'))
  .run(async (call, _input, row) => {
    if (row.linkedService === undefined) throw role.definition.missing(row.name, role.arnOf(call, row))
    for (const arn of row.attached) dropAttachment(call, arn, 'role', row.name)
    await removeRole(call, row)
    const DeletionTaskId = `task${row.path}${row.name}/${call.newId()}`
    call.unit.put(taskKey(call, DeletionTaskId), { roleArn: role.arnOf(call, row) } satisfies DeletionTask)
    return { DeletionTaskId }
  })

export const getServiceLinkedRoleDeletionStatus = iam
  .operation('GetServiceLinkedRoleDeletionStatus')
  .on(role.made((input) => ofTask(input.DeletionTaskId)))
  .run(async (call, input) => {
    if (!(await call.unit.get<DeletionTask>(taskKey(call, input.DeletionTaskId)))) {
      throw iam.fail('NoSuchEntityException', `Deletion task ${input.DeletionTaskId} cannot be found.`)
    }
    return { Status: 'SUCCEEDED' }
  })

function roleName(service: string, suffix: string | undefined): string {
  const base = `AWSServiceRoleFor${services[service]?.role ?? ''}`
  return suffix === undefined ? base : `${base}_${suffix}`
}

/** `task/aws-service-role/SERVICE/ROLE/UUID` */
function ofTask(id: string): Pick<RoleRow, 'name' | 'path'> {
  const parts = id.split('/').slice(1, -1)
  return { name: parts.at(-1) ?? '', path: `/${parts.slice(0, -1).join('/')}/` }
}

/** Roles that another service keeps in accounts: IAM Identity Center's, made from its permission sets. */
import type { Call } from '../../../kernel/gate/call.ts'
import {
  type PolicyReference,
  type ReservedRole,
  ReservedRoleError,
  type ReservedRolesPort,
} from '../../../kernel/ports/reserved-roles.ts'
import { uniqueId } from '../../../kernel/service/id.ts'
import { Fault } from '../../../wire/fault.ts'
import { count } from '../counts.ts'
import { dropAttachment, indexAttachment } from '../policies/attachments.ts'
import { unbind } from '../policies/boundaries.ts'
import { findManagedPolicy } from '../policies/policies.ts'
import { putReservedProvider } from '../providers/saml-providers.ts'
import { type RoleRow, role } from '../resources.ts'
import { removeRole } from './roles.ts'

const SERVICE = 'sso.amazonaws.com'
/** The name that AWS gives the inline policy. */
const INLINE_NAME = 'AwsSSOInlinePolicy'

type Writing = Pick<Call, 'unit' | 'now' | 'quotas' | 'account'>

const customerArn = (account: string, { name, path }: PolicyReference): string =>
  `arn:aws:iam::${account}:policy${path}${name}`

/** Throws where the account has no such policy. */
async function existing(call: Writing, arn: string): Promise<string> {
  if ((await findManagedPolicy(call.unit, arn, call.account))?.attachable) return arn
  throw new ReservedRoleError(`The policy ${arn} does not exist in account ${call.account}, or cannot be attached.`)
}

async function attachedTo(call: Writing, { awsPolicies, customerPolicies }: ReservedRole): Promise<readonly string[]> {
  const arns = [...awsPolicies, ...customerPolicies.map((each) => customerArn(call.account, each))]
  return Promise.all(arns.map((arn) => existing(call, arn)))
}

const boundaryOf = (call: Writing, { boundary }: ReservedRole): Promise<string> | undefined =>
  boundary === undefined
    ? undefined
    : existing(call, typeof boundary === 'string' ? boundary : customerArn(call.account, boundary))

const trustOf = (providerArn: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: ['sts:AssumeRoleWithSAML', 'sts:TagSession'],
        Condition: { StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } },
      },
    ],
  })

async function put(call: Writing, wanted: ReservedRole): Promise<string> {
  const at = { partition: 'aws', region: '', account: call.account }
  const attached = await attachedTo(call, wanted)
  const boundary = await boundaryOf(call, wanted)
  const provider = await putReservedProvider(call, { ...wanted.provider, service: SERVICE })
  const before = await role.get(call.unit, at, { name: wanted.name })
  if (!before) await count(call, 'Roles', 1)
  for (const arn of before?.attached ?? []) {
    if (!attached.includes(arn)) dropAttachment(call, arn, 'role', wanted.name)
  }
  for (const arn of attached) indexAttachment(call, arn, 'role', wanted.name)
  if (before?.boundary !== undefined && before.boundary !== boundary) unbind(call, 'role', before)
  if (boundary !== undefined) indexAttachment(call, boundary, 'role-boundary', wanted.name)
  const row: RoleRow = {
    name: wanted.name,
    path: wanted.path,
    id: before?.id ?? uniqueId('AROA'),
    createdAt: before?.createdAt ?? call.now,
    ...(wanted.description !== undefined && { description: wanted.description }),
    trust: trustOf(provider),
    trusted: {},
    maxSessionSeconds: wanted.maxSessionSeconds,
    tags: {},
    attached,
    inline: wanted.inlinePolicy === undefined ? {} : { [INLINE_NAME]: wanted.inlinePolicy },
    ...(boundary !== undefined && { boundary }),
    reservedBy: SERVICE,
  }
  role.put(call.unit, at, row)
  return role.arnOf(at, row)
}

export const reservedRolesPort: ReservedRolesPort = {
  put: async (call, wanted) => {
    try {
      return await put({ ...call, account: wanted.account }, wanted)
    } catch (error) {
      // A quota of the account, with IAM's error.
      if (error instanceof Fault && error.code === 'LimitExceededException') throw new ReservedRoleError(error.message)
      throw error
    }
  },
  remove: async ({ unit, quotas }, account, name) => {
    const at = { partition: 'aws', region: '', account }
    const row = await role.get(unit, at, { name })
    if (row?.reservedBy !== SERVICE) return
    const call = { unit, quotas, account }
    for (const arn of row.attached) dropAttachment(call, arn, 'role', name)
    await removeRole(call, { row, remove: () => unit.delete(role.key(at, { name })) })
  },
  idOf: async (reader, account, name) => (await role.get(reader, { account, region: '' }, { name }))?.id,
}

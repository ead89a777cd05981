/** Policies of permission sets: inline, of AWS, references to those of accounts, and the boundary. */
import type { Call } from '../../kernel/gate/call.ts'
import type { PolicyReference } from '../../kernel/ports/reserved-roles.ts'
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { rowsOf } from './lists.ts'
import { conflict, invalid, notFound, type PermissionSetRow, permissionSet, SCOPE, sso } from './resources.ts'
import { onPermissionSet } from './target.ts'

/** What roles take. Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html */
const INLINE_CHARS_MAX = 10_240
const POLICIES_MAX = 20

const changed = (call: Pick<Call, 'unit'>, row: PermissionSetRow): object => {
  permissionSet.put(call.unit, SCOPE, { ...row, revision: row.revision + 1 })
  return {}
}

const tooMany = () =>
  sso.fail('ServiceQuotaExceededException', `A permission set has at most ${POLICIES_MAX} managed policies.`)

function checkRoom({ awsPolicies, customerPolicies }: PermissionSetRow): void {
  if (awsPolicies.length + customerPolicies.length >= POLICIES_MAX) throw tooMany()
}

export const putInlinePolicyToPermissionSet = sso
  .operation('PutInlinePolicyToPermissionSet')
  .on(onPermissionSet())
  .run((call, { InlinePolicy }, { row }) => {
    try {
      parsePolicy(InlinePolicy, 'identity')
    } catch (error) {
      if (error instanceof PolicyError) throw invalid(`The inline policy is malformed: ${error.message}`)
      throw error
    }
    if (InlinePolicy.replace(/\s/g, '').length > INLINE_CHARS_MAX)
      throw sso.fail('ServiceQuotaExceededException', `An inline policy has at most ${INLINE_CHARS_MAX} characters.`)
    return changed(call, { ...row, inlinePolicy: InlinePolicy })
  })

export const getInlinePolicyForPermissionSet = sso
  .operation('GetInlinePolicyForPermissionSet')
  .on(onPermissionSet())
  // As AWS: an empty text where there is none.
  .run((_call, _input, { row }) => ({ InlinePolicy: row.inlinePolicy ?? '' }))

export const deleteInlinePolicyFromPermissionSet = sso
  .operation('DeleteInlinePolicyFromPermissionSet')
  .on(onPermissionSet())
  .run((call, _input, { row }) => {
    const { inlinePolicy, ...rest } = row
    if (inlinePolicy === undefined) throw notFound('The permission set has no inline policy.')
    return changed(call, rest)
  })

/** Whether AWS has such a policy: it is looked up where the caller's account would attach it. */
async function assertAwsPolicy(call: Call, arn: string): Promise<void> {
  if (!(await call.ports.identity.exists(call.unit, arn))) throw notFound(`The policy ${arn} does not exist.`)
}

export const attachManagedPolicyToPermissionSet = sso
  .operation('AttachManagedPolicyToPermissionSet')
  .on(onPermissionSet())
  .run(async (call, { ManagedPolicyArn }, { row }) => {
    await assertAwsPolicy(call, ManagedPolicyArn)
    if (row.awsPolicies.includes(ManagedPolicyArn)) throw conflict(`${ManagedPolicyArn} is attached already.`)
    checkRoom(row)
    return changed(call, { ...row, awsPolicies: [...row.awsPolicies, ManagedPolicyArn] })
  })

export const detachManagedPolicyFromPermissionSet = sso
  .operation('DetachManagedPolicyFromPermissionSet')
  .on(onPermissionSet())
  .run((call, { ManagedPolicyArn }, { row }) => {
    if (!row.awsPolicies.includes(ManagedPolicyArn)) throw notFound(`${ManagedPolicyArn} is not attached.`)
    return changed(call, { ...row, awsPolicies: row.awsPolicies.filter((arn) => arn !== ManagedPolicyArn) })
  })

export const listManagedPoliciesInPermissionSet = sso
  .operation('ListManagedPoliciesInPermissionSet')
  .on(onPermissionSet())
  .run(async (call, input, { row }) => {
    const { items, rest } = await rowsOf(call, row.awsPolicies, (arn) => arn, input)
    return {
      AttachedManagedPolicies: items.map((Arn) => ({ Name: Arn.slice(Arn.lastIndexOf('/') + 1), Arn })),
      ...rest,
    }
  })

const referenceOf = ({
  Name,
  Path,
}: {
  readonly Name: string
  readonly Path?: string | undefined
}): PolicyReference => ({
  name: Name,
  path: Path ?? '/',
})

const isSame = (one: PolicyReference, other: PolicyReference): boolean =>
  one.path + one.name === other.path + other.name

const shownReference = ({ name, path }: PolicyReference) => ({ Name: name, Path: path })

export const attachCustomerManagedPolicyReferenceToPermissionSet = sso
  .operation('AttachCustomerManagedPolicyReferenceToPermissionSet')
  .on(onPermissionSet())
  .run((call, { CustomerManagedPolicyReference }, { row }) => {
    const reference = referenceOf(CustomerManagedPolicyReference)
    if (row.customerPolicies.some((each) => isSame(each, reference)))
      throw conflict(`The policy ${reference.path}${reference.name} is attached already.`)
    checkRoom(row)
    return changed(call, { ...row, customerPolicies: [...row.customerPolicies, reference] })
  })

export const detachCustomerManagedPolicyReferenceFromPermissionSet = sso
  .operation('DetachCustomerManagedPolicyReferenceFromPermissionSet')
  .on(onPermissionSet())
  .run((call, { CustomerManagedPolicyReference }, { row }) => {
    const reference = referenceOf(CustomerManagedPolicyReference)
    const kept = row.customerPolicies.filter((each) => !isSame(each, reference))
    if (kept.length === row.customerPolicies.length)
      throw notFound(`The policy ${reference.path}${reference.name} is not attached.`)
    return changed(call, { ...row, customerPolicies: kept })
  })

export const listCustomerManagedPolicyReferencesInPermissionSet = sso
  .operation('ListCustomerManagedPolicyReferencesInPermissionSet')
  .on(onPermissionSet())
  .run(async (call, input, { row }) => {
    const { items, rest } = await rowsOf(call, row.customerPolicies, ({ name, path }) => path + name, input)
    return { CustomerManagedPolicyReferences: items.map(shownReference), ...rest }
  })

export const putPermissionsBoundaryToPermissionSet = sso
  .operation('PutPermissionsBoundaryToPermissionSet')
  .on(onPermissionSet())
  .run(async (call, { PermissionsBoundary }, { row }) => {
    const { CustomerManagedPolicyReference: customer, ManagedPolicyArn: arn } = PermissionsBoundary
    if ((customer === undefined) === (arn === undefined))
      throw invalid('Name either a customer managed policy or a policy of AWS.')
    if (arn !== undefined) await assertAwsPolicy(call, arn)
    return changed(call, { ...row, boundary: customer ? referenceOf(customer) : arn! })
  })

export const getPermissionsBoundaryForPermissionSet = sso
  .operation('GetPermissionsBoundaryForPermissionSet')
  .on(onPermissionSet())
  .run((_call, _input, { row: { boundary } }) => {
    if (boundary === undefined) throw notFound('The permission set has no permissions boundary.')
    return {
      PermissionsBoundary:
        typeof boundary === 'string'
          ? { ManagedPolicyArn: boundary }
          : { CustomerManagedPolicyReference: shownReference(boundary) },
    }
  })

export const deletePermissionsBoundaryFromPermissionSet = sso
  .operation('DeletePermissionsBoundaryFromPermissionSet')
  .on(onPermissionSet())
  .run((call, _input, { row }) => {
    const { boundary, ...rest } = row
    if (boundary === undefined) throw notFound('The permission set has no permissions boundary.')
    return changed(call, rest)
  })

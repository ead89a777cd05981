/** Permission sets: created, shown, changed, listed and deleted. */
import { newIdentityCenterIds } from '../../kernel/identity-center.ts'
import { mergedTags, requestedTags } from '../../kernel/resource/tag-rules.ts'
import { key } from '../../store/store.ts'
import { durationSeconds } from './durations.ts'
import { rowsBelow } from './pages.ts'
import {
  conflict,
  type InstanceRow,
  invalid,
  type PermissionSetRow,
  permissionSet,
  SCOPE,
  sso,
  tagRules,
} from './resources.ts'
import { belowInstance, type ProvisionedRow, provisionedIn, provisionedOf } from './rows.ts'
import { accountRef, inInstance, onPermissionSet, theInstance } from './target.ts'

const DURATION_DEFAULT = 'PT1H'

/** Names are unique in an instance. */
const nameKey = (instanceId: string, name: string) => key('sso', 'permission-set-name', instanceId, name.toLowerCase())

export const permissionSetArn = ({ instanceId, id }: PermissionSetRow): string =>
  `arn:aws:sso:::permissionSet/${instanceId}/${id}`

const shown = (row: PermissionSetRow) => ({
  Name: row.name,
  PermissionSetArn: permissionSetArn(row),
  ...(row.description !== undefined && { Description: row.description }),
  CreatedDate: new Date(row.createdAt),
  SessionDuration: row.sessionDuration,
  ...(row.relayState !== undefined && { RelayState: row.relayState }),
})

export const withoutInstanceOfAccount = ({ kind }: InstanceRow): void => {
  if (kind === 'account')
    throw invalid('The operation is not supported by an instance of an account. It has applications only.')
}

export const createPermissionSet = sso
  .operation('CreatePermissionSet')
  .on(
    inInstance((found, _input: { readonly InstanceArn: string }) => {
      const pattern = { arn: `arn:aws:sso:::permissionSet/${found.id}/*`, type: permissionSet.spec.type }
      return { on: [pattern], row: true, creates: pattern }
    }),
  )
  .run(async (call, input, { instance }) => {
    withoutInstanceOfAccount(instance)
    const { Name, Description, RelayState, SessionDuration = DURATION_DEFAULT } = input
    durationSeconds(SessionDuration)
    const tags = mergedTags(tagRules, undefined, requestedTags(tagRules, input))
    const at = nameKey(instance.id, Name)
    if (await call.unit.get(at)) throw conflict(`PermissionSet with name ${Name} already exists.`)
    const counter = key('sso', 'count', instance.id, 'permission-sets')
    const count = ((await call.unit.get<{ readonly count: number }>(counter))?.count ?? 0) + 1
    const max = call.quotas['sso/PermissionSetsPerInstance']
    if (max !== undefined && count > max)
      throw sso.fail('ServiceQuotaExceededException', `The instance has at most ${max} permission sets.`)
    const row: PermissionSetRow = {
      id: newIdentityCenterIds.permissionSet(),
      instanceId: instance.id,
      account: instance.account,
      name: Name,
      ...(Description !== undefined && { description: Description }),
      ...(RelayState !== undefined && { relayState: RelayState }),
      sessionDuration: SessionDuration,
      awsPolicies: [],
      customerPolicies: [],
      revision: 1,
      createdAt: call.now,
      tags,
    }
    permissionSet.put(call.unit, SCOPE, row)
    call.unit.put(at, { id: row.id })
    call.unit.put(counter, { count })
    call.event.resources = [{ arn: permissionSetArn(row), type: permissionSet.spec.type, account: call.account }]
    return { PermissionSet: shown(row) }
  })

export const describePermissionSet = sso
  .operation('DescribePermissionSet')
  .on(onPermissionSet())
  .run((_call, _input, { row }) => ({ PermissionSet: shown(row) }))

export const updatePermissionSet = sso
  .operation('UpdatePermissionSet')
  .on(onPermissionSet())
  .run((call, { Description, RelayState, SessionDuration }, { row }) => {
    if (SessionDuration !== undefined) durationSeconds(SessionDuration)
    permissionSet.put(call.unit, SCOPE, {
      ...row,
      ...(Description !== undefined && { description: Description }),
      ...(RelayState !== undefined && { relayState: RelayState }),
      ...(SessionDuration !== undefined && { sessionDuration: SessionDuration }),
      revision: row.revision + 1,
    })
    return {}
  })

export const deletePermissionSet = sso
  .operation('DeletePermissionSet')
  .on(onPermissionSet())
  .run(async (call, _input, { instance, row }) => {
    const [used] = await call.unit.range(provisionedOf(instance.id, row.id), { limit: 1 })
    if (used) throw conflict('The permission set is provisioned in accounts. Delete its assignments first.')
    call.unit.delete(permissionSet.key(SCOPE, { InstanceId: instance.id, PermissionSetId: row.id }))
    call.unit.delete(nameKey(instance.id, row.name))
    const counter = key('sso', 'count', instance.id, 'permission-sets')
    const count = (await call.unit.get<{ readonly count: number }>(counter))?.count ?? 1
    call.unit.put(counter, { count: count - 1 })
    return {}
  })

export const listPermissionSets = sso
  .operation('ListPermissionSets')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const below = belowInstance(permissionSet.prefix(SCOPE), instance.id)
    const { items, rest } = await rowsBelow<PermissionSetRow>(call, below, input)
    return { PermissionSets: items.map(permissionSetArn), ...rest }
  })

type Provisioning = 'LATEST_PERMISSION_SET_PROVISIONED' | 'LATEST_PERMISSION_SET_NOT_PROVISIONED'

const isIn = (status: Provisioning | undefined, isLatest: boolean): boolean =>
  status === undefined || isLatest === (status === 'LATEST_PERMISSION_SET_PROVISIONED')

export const listAccountsForProvisionedPermissionSet = sso
  .operation('ListAccountsForProvisionedPermissionSet')
  .on(onPermissionSet())
  .run(async (call, input, { instance, row }) => {
    const isListed = ({ revision }: ProvisionedRow) => isIn(input.ProvisioningStatus, revision === row.revision)
    const { items, rest } = await rowsBelow<ProvisionedRow>(call, provisionedOf(instance.id, row.id), input, isListed)
    return { AccountIds: items.map(({ accountId }) => accountId), ...rest }
  })

export const listPermissionSetsProvisionedToAccount = sso
  .operation('ListPermissionSetsProvisionedToAccount')
  .on(
    inInstance((_found, input: { readonly InstanceArn: string; readonly AccountId: string }) => ({
      on: [accountRef(input.AccountId)],
      row: true,
    })),
  )
  .run(async (call, input, { instance }) => {
    const { items, rest } = await rowsBelow<ProvisionedRow>(call, provisionedIn(instance.id, input.AccountId), input)
    const rows = await Promise.all(
      items.map(async ({ permissionSetId: PermissionSetId, revision }) => {
        const row = await permissionSet.get(call.unit, SCOPE, { InstanceId: instance.id, PermissionSetId })
        return row && isIn(input.ProvisioningStatus, revision === row.revision) ? permissionSetArn(row) : undefined
      }),
    )
    return { PermissionSets: rows.filter((arn) => arn !== undefined), ...rest }
  })

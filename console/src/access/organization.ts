/** The control policies over an account, level by level: root, organizational units, account. */
import type { CompiledPolicy } from '../../../src/policy/index.ts'
import type { Client } from '../api/client.ts'
import { compile } from './account.ts'

export type ControlType = 'SERVICE_CONTROL_POLICY' | 'RESOURCE_CONTROL_POLICY'

export interface Level {
  readonly id: string
  readonly name: string
  readonly policies: readonly { readonly id: string; readonly name: string; readonly compiled: CompiledPolicy }[]
}

/** Undefined: no organization, or one that this account may not read. */
export async function loadLevels(
  client: Client,
  account: string,
  type: ControlType,
): Promise<readonly Level[] | undefined> {
  try {
    const targets = [{ id: account, name: account }]
    for (let id = account; ; ) {
      const [parent] = (await client.call('organizations', 'ListParents', { ChildId: id })).Parents ?? []
      if (!parent?.Id) break
      const isRoot = parent.Type === 'ROOT'
      const unit = isRoot
        ? undefined
        : await client.call('organizations', 'DescribeOrganizationalUnit', { OrganizationalUnitId: parent.Id })
      targets.unshift({ id: parent.Id, name: isRoot ? 'Root' : (unit?.OrganizationalUnit?.Name ?? parent.Id) })
      if (isRoot) break
      id = parent.Id
    }
    return await Promise.all(
      targets.map(async (target) => ({ ...target, policies: await policiesAt(client, target.id, type) })),
    )
  } catch {
    return undefined
  }
}

async function policiesAt(client: Client, target: string, type: ControlType): Promise<Level['policies']> {
  const attached = await client.list(
    'organizations',
    'ListPoliciesForTarget',
    { TargetId: target, Filter: type },
    'Policies',
  )
  return Promise.all(
    attached.map(async ({ Id, Name, Arn }) => {
      const { Policy } = await client.call('organizations', 'DescribePolicy', { PolicyId: Id! })
      const kind = type === 'SERVICE_CONTROL_POLICY' ? 'scp' : 'rcp'
      return { id: Id!, name: Name!, compiled: compile(Policy?.Content ?? '', kind, Name!, Arn) }
    }),
  )
}

export const compiledLevels = (
  levels: readonly Level[] | undefined,
): readonly (readonly CompiledPolicy[])[] | undefined =>
  levels?.map(({ policies }) => policies.map(({ compiled }) => compiled))

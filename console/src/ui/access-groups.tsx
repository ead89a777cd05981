/** Everything that policies allow, in groups of actions that the same statements allow on the same resources. */
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { folded } from '../../../src/policy/account/folded-actions.ts'
import type { Identity } from '../../../src/policy/account/identity.ts'
import { reachOf } from '../../../src/policy/account/reach-of.ts'
import type { Access } from '../../../src/policy/reach.ts'
import { AccessList } from './access-shown.tsx'
import { Code } from './fields.tsx'
import { ResourceTable } from './resource-table.tsx'
import type { Loaded } from './use-call.ts'

/** Actions with the same access. */
export interface AccessGroup {
  readonly actions: readonly string[]
  readonly shown: readonly string[]
  readonly accesses: readonly Access[]
}

export type Around = Parameters<typeof reachOf>[1]

/** The engine answers alike for actions that the same statements bear on: the answer is the key. */
export function accessGroups(
  identity: Identity,
  account: string,
  around: Around,
  wanted: ReadonlyMap<string, readonly string[]>,
): readonly AccessGroup[] {
  const reach = reachOf(identity, around, account)
  const groups = new Map<readonly Access[], string[]>()
  for (const action of [...wanted.values()].flat()) {
    const accesses = reach.of(action)
    if (accesses.length === 0) continue
    const group = groups.get(accesses)
    if (group) group.push(action)
    else groups.set(accesses, [action])
  }
  return [...groups].map(([accesses, actions]) => ({ actions, accesses, shown: folded(actions, wanted) }))
}

export function AccessGroups({
  title,
  groups,
}: {
  readonly title: string
  readonly groups: Loaded<readonly AccessGroup[]>
}) {
  return (
    <ResourceTable<AccessGroup>
      title={title}
      noun="group of actions"
      loaded={groups}
      idOf={({ shown }) => shown.join()}
      empty="The policies allow nothing here."
      columns={[
        {
          header: 'Actions',
          value: ({ shown }) => shown.join(', '),
          cell: ({ shown }) => <Code>{shown.join(', ')}</Code>,
        },
        { header: 'Number', value: ({ actions }) => actions.length },
        {
          header: 'Answer',
          value: ({ accesses }) => accesses.some(({ certain }) => certain),
          cell: ({ accesses }) =>
            accesses.some(({ certain }) => certain) ? (
              <StatusIndicator>Allowed</StatusIndicator>
            ) : (
              <StatusIndicator type="warning">Under conditions</StatusIndicator>
            ),
        },
        { header: 'Through', value: () => undefined, cell: ({ accesses }) => <AccessList accesses={accesses} /> },
      ]}
    />
  )
}

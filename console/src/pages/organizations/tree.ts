/** The tree of an organization: root, units, accounts. */
import type { Client } from '../../api/client.ts'

export interface TreeNode {
  readonly id: string
  readonly name: string
  readonly kind: 'root' | 'unit' | 'account'
  readonly detail: string | undefined
  readonly children: readonly TreeNode[]
  /** From the root to the parent. */
  readonly above: readonly { readonly id: string; readonly name: string }[]
}

export async function loadTree(client: Client): Promise<TreeNode> {
  const [root] = await client.list('organizations', 'ListRoots', {}, 'Roots')
  return nodeOf(client, { id: root!.Id!, name: root!.Name ?? 'Root', kind: 'root' }, [])
}

async function nodeOf(
  client: Client,
  { id, name, kind }: Pick<TreeNode, 'id' | 'name' | 'kind'>,
  above: TreeNode['above'],
): Promise<TreeNode> {
  const [units, accounts] = await Promise.all([
    client.list('organizations', 'ListOrganizationalUnitsForParent', { ParentId: id }, 'OrganizationalUnits'),
    client.list('organizations', 'ListAccountsForParent', { ParentId: id }, 'Accounts'),
  ])
  const path = [...above, { id, name }]
  const children = await Promise.all(
    units.map((unit) => nodeOf(client, { id: unit.Id!, name: unit.Name!, kind: 'unit' }, path)),
  )
  return {
    id,
    name,
    kind,
    detail: undefined,
    above,
    children: [
      ...children,
      ...accounts.map(
        (account): TreeNode => ({
          id: account.Id!,
          name: account.Name ?? account.Id!,
          kind: 'account',
          detail: account.Status === 'ACTIVE' ? account.Id : `${account.Id}, ${account.Status?.toLowerCase()}`,
          children: [],
          above: path,
        }),
      ),
    ],
  }
}

export function findNode(node: TreeNode, id: string): TreeNode | undefined {
  if (node.id === id) return node
  for (const child of node.children) {
    const found = findNode(child, id)
    if (found) return found
  }
  return undefined
}

export const idsOf = (node: TreeNode): readonly string[] => [node.id, ...node.children.flatMap(idsOf)]

export const accountsOf = (node: TreeNode): readonly TreeNode[] =>
  node.kind === 'account' ? [node] : node.children.flatMap(accountsOf)

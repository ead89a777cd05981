/** Which web ACL protects which resource. A resource has at most one. */
import type { ResourceType } from '@aws-sdk/client-wafv2'
import type { Use } from '../../kernel/ports/port.ts'
import { webAclResources } from '../../kernel/ports/web-acl-resources.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'

export interface AssociationRow {
  readonly webAcl: string
  readonly resource: string
  readonly resourceType: ResourceType
}

/** By the resource: what filters its requests reads this. */
export const associationKey = (resource: string): Key => key('wafv2', 'association', resource)
const byWebAcl = (webAcl: string): Key => under('wafv2', 'associated-with', webAcl)

export function putAssociation(unit: Unit, before: AssociationRow | undefined, row: AssociationRow): void {
  if (before) removeAssociation(unit, before)
  unit.put(associationKey(row.resource), row)
  unit.put(byWebAcl(row.webAcl) + key(row.resource), row)
}

export function removeAssociation(unit: Unit, { webAcl, resource }: AssociationRow): void {
  unit.delete(associationKey(resource))
  unit.delete(byWebAcl(webAcl) + key(resource))
}

/** The associations of a web ACL with resources that still exist; those of deleted resources are removed. */
export async function associationsOf(
  { unit, use }: { readonly unit: Unit; readonly use: Use },
  webAcl: string,
): Promise<readonly AssociationRow[]> {
  const found: AssociationRow[] = []
  for (const { document } of await unit.range<AssociationRow>(byWebAcl(webAcl))) {
    const type = use(webAclResources).typeOf(document.resource)
    if (type && (await type.find(unit, document.resource))) found.push(document)
    else removeAssociation(unit, document)
  }
  return found
}

/** Associations of web ACLs with the resources that they protect. */

import type { Call } from '../../kernel/gate/call.ts'
import { type WebAclResourceType, webAclResources } from '../../kernel/ports/web-acl-resources.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import type { Target } from '../../kernel/resource/target.ts'
import {
  type AssociationRow,
  associationKey,
  associationsOf,
  putAssociation,
  removeAssociation,
} from './association-rows.ts'
import { invalidParameter, nonexistent, wafv2 } from './faults.ts'
import { webAcl } from './resources.ts'
import { shownWebAcl } from './web-acls.ts'

interface Protectable {
  readonly arn: string
  readonly type: WebAclResourceType
  readonly facts: ResourceFacts
  readonly exists: boolean
}

/** Throws for an ARN that no web ACL can protect. The resource need not exist: permission comes first. */
async function protectable(call: Call, arn: string): Promise<Protectable> {
  const type = call.use(webAclResources).typeOf(arn)
  const parsed = parseArn(arn)
  if (!type || !parsed || parsed.partition !== call.partition || parsed.region !== call.region)
    throw invalidParameter('RESOURCE_ARN', arn, "The ARN isn't valid for a resource that a web ACL can protect.")
  const account = parsed.account === '' ? await type.owner?.(call.use, call.unit) : parsed.account
  const found = account === call.account ? await type.find(call.unit, arn) : undefined
  return {
    arn,
    type,
    exists: found !== undefined,
    facts: { arn, type: type.type, account: account ?? '', tags: found?.tags },
  }
}

/** The resource that `ResourceArn` names. */
const resourceNamed: Target<{ readonly ResourceArn: string }, Protectable> = {
  find: async (call, { ResourceArn }) => {
    const found = await protectable(call, ResourceArn)
    return { acted: found.facts, row: found.exists ? found : undefined, missing: nonexistent }
  },
}

export const associateWebAcl = wafv2
  .operation('AssociateWebACL')
  .on(webAcl.named('WebACLArn', { ownAccount: true }))
  .run(async (call, { ResourceArn }, { row, arn }) => {
    const { type, facts, exists } = await protectable(call, ResourceArn)
    await call.authorize('wafv2:AssociateWebACL', facts)
    if (type.actions?.associate) await call.authorize(type.actions.associate, facts)
    if (!exists) throw nonexistent()
    if (row.scope !== 'regional')
      throw invalidParameter('SCOPE_VALUE', arn, 'A web ACL of the scope CLOUDFRONT protects no regional resource.')
    const before = await call.unit.get<AssociationRow>(associationKey(ResourceArn))
    putAssociation(call.unit, before, { webAcl: arn, resource: ResourceArn, resourceType: type.resourceType })
    return {}
  })

export const disassociateWebAcl = wafv2
  .operation('DisassociateWebACL')
  .on(resourceNamed)
  .run(async (call, { ResourceArn }, { type, facts }) => {
    if (type.actions?.disassociate) await call.authorize(type.actions.disassociate, facts)
    const before = await call.unit.get<AssociationRow>(associationKey(ResourceArn))
    if (before) removeAssociation(call.unit, before)
    return {}
  })

export const getWebAclForResource = wafv2
  .operation('GetWebACLForResource')
  .on(resourceNamed)
  .run(async (call, { ResourceArn }, { type, facts }) => {
    if (type.actions?.get) await call.authorize(type.actions.get, facts)
    const association = await call.unit.get<AssociationRow>(associationKey(ResourceArn))
    if (!association) return {}
    const { acted, row } = await webAcl.find(call, association.webAcl)
    if (acted) await call.authorize('wafv2:GetWebACLForResource', acted)
    return row ? { WebACL: shownWebAcl(row.row, row.arn) } : {}
  })

export const listResourcesForWebAcl = wafv2
  .operation('ListResourcesForWebACL')
  .on(webAcl.named('WebACLArn', { ownAccount: true }))
  .run(async (call, { ResourceType = 'APPLICATION_LOAD_BALANCER' }, { arn }) => {
    const found = await associationsOf(call, arn)
    return {
      ResourceArns: found.filter(({ resourceType }) => resourceType === ResourceType).map(({ resource }) => resource),
    }
  })

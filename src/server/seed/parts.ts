/** Every part that the accounts of a seed can have, in the order in which they are made. */
import { buckets } from './buckets.ts'
import { authorities, certificates } from './certificates.ts'
import { functions } from './functions.ts'
import { groups, policies, roles, users } from './identities.ts'
import { identityPools } from './identity-pools.ts'
import { kmsKeys } from './kms-keys.ts'
import { logGroups } from './log-groups.ts'
import type { AnyPart } from './part.ts'
import { secrets } from './secrets.ts'
import { trails } from './trails.ts'
import { userPools } from './user-pools.ts'
import { vpcs } from './vpcs.ts'
import { ipSets, webAcls } from './web-acls.ts'
import { zones } from './zones.ts'

/** Of all accounts these come first: policies of resources may name the users and roles of any account. */
export const identities: readonly AnyPart[] = [policies, groups, users, roles]

export const resources: readonly AnyPart[] = [
  kmsKeys,
  secrets,
  buckets,
  trails,
  functions,
  logGroups,
  ipSets,
  webAcls,
  authorities,
  zones,
  certificates,
  vpcs,
  userPools,
  identityPools,
]

export const parts: readonly AnyPart[] = [...identities, ...resources]

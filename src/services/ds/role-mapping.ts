/**
 * Which roles the groups of a directory open. AWS's role delegation is a page of its console without an API; here it is
 * tags of the directory: `merlon:role/NAME` with the names of groups, separated by `/`, which no group name contains.
 * As on AWS, the caller needs `iam:PassRole`, and the role must trust `ds.amazonaws.com`.
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'

const PREFIX = 'merlon:role/'
const MAPPING = /^merlon:role\/((?:[\w+=,.@-]{1,100}\/)*[\w+=,.@-]{1,64})$/

const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`

/** Without a permission of its own, tagging a directory would give its people any role that trusts the service. */
export async function authorizeMappings(call: Call, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    if (!key.toLowerCase().startsWith(PREFIX)) continue
    await call.authorize('iam:PassRole', roleArn(call.account, key.slice(PREFIX.length)), {
      'iam:PassedToService': 'ds.amazonaws.com',
    })
  }
}

/** Group names are compared in any case, as directories do. */
export function mappedRoles(account: string, tags: Tags | undefined, groups: readonly string[]): readonly string[] {
  const own = new Set(groups.map((group) => group.toLowerCase()))
  return Object.entries(tags ?? {}).flatMap(([key, value]) => {
    const [, name] = MAPPING.exec(key) ?? []
    const isMember = value.split('/').some((group) => own.has(group.trim().toLowerCase()))
    return name !== undefined && isMember ? [roleArn(account, name)] : []
  })
}

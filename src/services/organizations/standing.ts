/** What an organization lets its accounts do. Computed once for each account, and again when a row of it changes. */
import type { OrganizationContext, OrganizationPort } from '../../kernel/ports/ports.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { compilePolicy, compileSet, type PolicySet, readPolicy } from '../../policy/index.ts'
import type { Store } from '../../store/store.ts'
import { memberOf, membersOf, organizationOf } from './organization.ts'
import { type PolicyType, policyTypes, typeOfFullAccess } from './policy-types.ts'
import {
  type AttachmentsRow,
  arns,
  attachmentsKey,
  type OrganizationRow,
  partId,
  policyType,
  scopeOf,
  unitType,
} from './resources.ts'

export function organizationPort(store: Store): OrganizationPort {
  const standings = new DerivedCache<OrganizationContext | undefined>(store, standingOf)
  return {
    standing: (account) => standings.get(account),
    membership: async (reader, account) => {
      const row = await organizationOf(reader, account)
      const member = row && (await memberOf(reader, row, account))
      if (!row || !member) return undefined
      return {
        id: row.id,
        management: row.management,
        allFeatures: row.features === 'ALL',
        trusted: Object.keys(row.trusted),
        administers: Object.keys(member.administers),
      }
    },
    accountsOf: async (reader, organization) =>
      (await membersOf(reader, organization))
        .filter(({ state }) => state === 'ACTIVE')
        .map(({ id, email, joinedAt }) => ({ account: id, email, joinedAt })),
  }
}

async function standingOf(reader: Reader, account: string): Promise<OrganizationContext | undefined> {
  const row = await organizationOf(reader, account)
  const member = row && (await memberOf(reader, row, account))
  if (!row || !member) return undefined

  const chain = await ancestors(reader, row, member.parent)
  const levels = (type: 'SERVICE_CONTROL_POLICY' | 'RESOURCE_CONTROL_POLICY') =>
    row.enabledTypes.includes(type) && account !== row.management
      ? Promise.all([...chain, account].map((target) => levelOf(reader, row, target, type)))
      : undefined
  return {
    organization: row.id,
    path: `${row.id}/${chain.join('/')}/`,
    scps: await levels('SERVICE_CONTROL_POLICY'),
    rcps: await levels('RESOURCE_CONTROL_POLICY'),
  }
}

/** From the root down to the parent of an account. */
async function ancestors(reader: Reader, row: OrganizationRow, parent: string): Promise<readonly string[]> {
  const chain: string[] = []
  let at: string | undefined = parent
  while (at !== undefined && at !== row.rootId) {
    chain.unshift(at)
    at = (await unitType.get(reader, scopeOf(row), partId(row, at)))?.parent
  }
  return [row.rootId, ...chain]
}

async function levelOf(reader: Reader, row: OrganizationRow, target: string, type: PolicyType): Promise<PolicySet> {
  const attached = await reader.get<AttachmentsRow>(attachmentsKey(row.id, target))
  const ids = attached?.policies[type] ?? []
  const kind = type === 'SERVICE_CONTROL_POLICY' ? 'scp' : 'rcp'
  const compiled = await Promise.all(
    ids.map(async (id) => {
      const full = typeOfFullAccess(id) === type ? policyTypes[type].fullAccess : undefined
      const policy = full ? undefined : await policyType.get(reader, scopeOf(row), partId(row, id))
      const content = full?.content ?? policy?.content
      const arn = policy ? arns.policy(row, policy) : arns.awsPolicy(type, id)
      return content === undefined ? [] : [compilePolicy(readPolicy(content, kind), { id, arn, kind })]
    }),
  )
  return compileSet(compiled.flat())
}

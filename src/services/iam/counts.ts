/** How many of each kind an account has: one small document a kind, so that quotas and summaries never count rows. */
import type { Call } from '../../kernel/gate/call.ts'
import { key } from '../../store/store.ts'
import { withinQuota } from './words.ts'

/** The kinds as GetAccountSummary spells them, with the quota that limits each. */
const quotaOf = {
  Users: 'UsersPerAccount',
  Groups: 'GroupsPerAccount',
  Roles: 'RolesPerAccount',
  Policies: 'PoliciesPerAccount',
  InstanceProfiles: 'InstanceProfilesPerAccount',
  ServerCertificates: 'ServerCertificatesPerAccount',
  SAMLProviders: 'SAMLProvidersPerAccount',
  OpenIdConnectProviders: 'OpenIdConnectProvidersPerAccount',
  PolicyVersionsInUse: undefined,
  MFADevices: undefined,
  MFADevicesInUse: undefined,
  AccountAccessKeysPresent: undefined,
} as const

export type Counted = keyof typeof quotaOf

interface Count {
  readonly count: number
}

type Counting = Pick<Call, 'unit' | 'account' | 'quotas'>

const at = (call: Pick<Counting, 'account'>, kind: Counted) => key('iam', 'count', call.account, kind)

export async function countOf(call: Pick<Counting, 'unit' | 'account'>, kind: Counted): Promise<number> {
  return (await call.unit.get<Count>(at(call, kind)))?.count ?? 0
}

/** One more, or one fewer; throws `LimitExceeded` at the quota. */
export async function count(call: Counting, kind: Counted, by: 1 | -1): Promise<void> {
  const after = (await countOf(call, kind)) + by
  const quota = quotaOf[kind]
  if (quota && by > 0) withinQuota(call, quota, after)
  call.unit.put(at(call, kind), { count: after } satisfies Count)
}

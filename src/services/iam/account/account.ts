/** The account itself: its alias, and what it holds at a glance. */
import type { Call } from '../../../kernel/gate/call.ts'
import { anything } from '../../../kernel/resource/target.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { key } from '../../../store/store.ts'
import { Fault } from '../../../wire/fault.ts'
import { type Counted, countOf } from '../counts.ts'
import { profileKey } from '../credentials/login-profiles.ts'
import { rootHasMfa } from '../credentials/mfa.ts'
import { certificatesOf } from '../credentials/signing-certificates.ts'
import { listItems } from '../lists.ts'
import { iam } from '../words.ts'

interface AliasRow {
  readonly alias: string
}
interface AliasOwner {
  readonly account: string
}

const aliasKey = (account: string) => key('iam', 'account-alias', account)
/** Aliases are unique in the installation: they are part of sign-in addresses. */
const aliasOwnerKey = (alias: string) => key('iam', 'account-of-alias', alias)

const aliasOf = (call: Call) => call.unit.get<AliasRow>(aliasKey(call.account))

export const accountAlias = async (reader: Reader, account: string): Promise<string | undefined> =>
  (await reader.get<AliasRow>(aliasKey(account)))?.alias

/** An account has one alias: a new one takes the place of the old. */
export const createAccountAlias = iam
  .operation('CreateAccountAlias')
  .on(anything)
  .run(async (call, input) => {
    const alias = input.AccountAlias
    if (await call.unit.get<AliasOwner>(aliasOwnerKey(alias))) {
      throw iam.fail('EntityAlreadyExistsException', `The account alias ${alias} already exists.`)
    }
    const old = await aliasOf(call)
    if (old) call.unit.delete(aliasOwnerKey(old.alias))
    call.unit.put(aliasKey(call.account), { alias } satisfies AliasRow)
    call.unit.put(aliasOwnerKey(alias), { account: call.account } satisfies AliasOwner)
    return {}
  })

export const deleteAccountAlias = iam
  .operation('DeleteAccountAlias')
  .on(anything)
  .run(async (call, input) => {
    const row = await aliasOf(call)
    if (row?.alias !== input.AccountAlias) {
      throw iam.fail('NoSuchEntityException', `The account alias ${input.AccountAlias} cannot be found.`)
    }
    call.unit.delete(aliasKey(call.account))
    call.unit.delete(aliasOwnerKey(row.alias))
    return {}
  })

export const listAccountAliases = iam
  .operation('ListAccountAliases')
  .on(anything)
  .run(async (call, input) => {
    const row = await aliasOf(call)
    const { items, rest } = await listItems(call, row ? [row.alias] : [], (alias) => alias, input)
    return { AccountAliases: [...items], ...rest }
  })

type Figure = (call: Call) => Promise<number> | number

const counted =
  (...kinds: readonly Counted[]): Figure =>
  async (call) =>
    (await Promise.all(kinds.map((kind) => countOf(call, kind)))).reduce((sum, each) => sum + each, 0)

const quota =
  (name: string): Figure =>
  (call) =>
    call.quotas[`iam/${name}`] ?? 0

const constant =
  (value: number): Figure =>
  () =>
    value

/** Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
const summary = {
  Users: counted('Users'),
  UsersQuota: quota('UsersPerAccount'),
  Groups: counted('Groups'),
  GroupsQuota: quota('GroupsPerAccount'),
  Roles: counted('Roles'),
  RolesQuota: quota('RolesPerAccount'),
  Policies: counted('Policies'),
  PoliciesQuota: quota('PoliciesPerAccount'),
  PolicyVersionsInUse: counted('PolicyVersionsInUse'),
  PolicyVersionsInUseQuota: constant(10_000),
  VersionsPerPolicyQuota: quota('VersionsPerPolicy'),
  InstanceProfiles: counted('InstanceProfiles'),
  InstanceProfilesQuota: quota('InstanceProfilesPerAccount'),
  ServerCertificates: counted('ServerCertificates'),
  ServerCertificatesQuota: quota('ServerCertificatesPerAccount'),
  Providers: counted('SAMLProviders', 'OpenIdConnectProviders'),
  MFADevices: counted('MFADevices'),
  MFADevicesInUse: counted('MFADevicesInUse'),
  AccountMFAEnabled: async (call) => Number(await rootHasMfa(call)),
  AccountAccessKeysPresent: async (call) => Math.min(1, await countOf(call, 'AccountAccessKeysPresent')),
  AccountSigningCertificatesPresent: async (call) => Number((await certificatesOf(call, call.account)).length > 0),
  AccountPasswordPresent: async (call) =>
    Number((await call.unit.get(profileKey(call.account, call.account))) !== undefined),
  UserPolicySizeQuota: quota('UserPolicySize'),
  GroupPolicySizeQuota: quota('GroupPolicySize'),
  RolePolicySizeQuota: quota('RolePolicySize'),
  PolicySizeQuota: quota('PolicySize'),
  AssumeRolePolicySizeQuota: quota('AssumeRolePolicySize'),
  AttachedPoliciesPerUserQuota: quota('PoliciesPerUser'),
  AttachedPoliciesPerGroupQuota: quota('PoliciesPerGroup'),
  AttachedPoliciesPerRoleQuota: quota('PoliciesPerRole'),
  GroupsPerUserQuota: quota('GroupsPerUser'),
  AccessKeysPerUserQuota: quota('AccessKeysPerUser'),
  SigningCertificatesPerUserQuota: quota('SigningCertificatesPerUser'),
  // Tokens of the global endpoint are good in every Region.
  GlobalEndpointTokenVersion: constant(2),
} satisfies Readonly<Record<string, Figure>>

export const getAccountSummary = iam
  .operation('GetAccountSummary')
  .on(anything)
  .run(async (call) => {
    const figures = Object.entries(summary).map(async ([name, figure]) => [name, await figure(call)] as const)
    return { SummaryMap: Object.fromEntries(await Promise.all(figures)) }
  })

/** Tokens of Merlon are of the second version: good in every Region, wherever they come from. There are no others. */
export const setSecurityTokenServicePreferences = iam
  .operation('SetSecurityTokenServicePreferences')
  .on(anything)
  .run((_call, { GlobalEndpointTokenVersion: version }) => {
    if (version === 'v2Token') return {}
    throw new Fault('NotImplemented', 'Merlon issues no tokens that are good in some Regions only.')
  })

/**
 * Trust policies. AWS stores the users and roles that a policy names by their unique IDs: a later user or role with the
 * same name is not trusted, and the policy then shows the ID.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import type { Call } from '../../../kernel/gate/call.ts'
import { parseArn } from '../../../kernel/resource/arn.ts'
import { isServicePrincipal } from '../../../kernel/service/service-principals.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type CompiledPolicy, compilePolicy, parsePolicy, readPolicy } from '../../../policy/index.ts'
import { accountKey } from '../account/bootstrap.ts'
import { checkedPolicy, policySize } from '../policies/documents.ts'
import { type RoleRow, role, rowWritten, type UserRow, user, userIdKey } from '../resources.ts'
import { iam } from '../words.ts'
import { assertIssuerControls } from './shared-issuers.ts'

/** The members of a role's row that its trust policy fills; spread them. */
export async function trusting(call: Call, text: string): Promise<Pick<RoleRow, 'trust' | 'trusted'>> {
  checkedPolicy(text, 'trust')
  const max = call.quotas['iam/AssumeRolePolicySize']
  if (max !== undefined && policySize(text) > max) {
    throw iam.fail('LimitExceededException', `Cannot exceed quota for ACLSizePerRole: ${max}`)
  }
  const trusted: Record<string, string> = {}
  const policy = parsePolicy(text, 'trust')
  assertIssuerControls(policy)
  for (const { principal } of policy.statements) {
    for (const name of principal?.values.AWS ?? []) {
      const id = await idBehind(call.unit, name)
      if (id === 'missing') {
        throw iam.fail('MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${name}"`)
      }
      if (id !== undefined) trusted[name] = id
    }
    const unknown = principal?.values.Service?.find((name) => name !== '*' && !isServicePrincipal(name))
    if (unknown !== undefined) {
      throw iam.fail('MalformedPolicyDocumentException', `Invalid principal in policy: "SERVICE":"${unknown}"`)
    }
  }
  return { trust: text, trusted }
}

/** The text as it reads today: renamed users under their new name, deleted ones as bare ids. */
export async function shownTrust(reader: Reader, row: RoleRow): Promise<string> {
  const renamed = new Map<string, string>()
  for (const [arn, id] of Object.entries(row.trusted)) {
    const now = (await arnNow(reader, arn, id)) ?? id
    if (now !== arn) renamed.set(arn, now)
  }
  if (renamed.size === 0) return row.trust

  const document = JSON.parse(row.trust)
  for (const statement of [document.Statement].flat()) {
    for (const element of ['Principal', 'NotPrincipal']) {
      const listed = statement[element]?.AWS
      if (listed === undefined) continue
      const names = [listed].flat().map((name: string) => renamed.get(name) ?? name)
      statement[element].AWS = Array.isArray(listed) ? names : names[0]
    }
  }
  return JSON.stringify(document)
}

export async function compileTrust(reader: Reader, row: RoleRow): Promise<CompiledPolicy> {
  return compilePolicy(readPolicy(await shownTrust(reader, row), 'trust'), { id: 'trust', kind: 'trust' })
}

/** The unique id of the user or role an ARN names; undefined where ids play no part, or the account is not ours to know. */
export async function idBehind(reader: Reader, name: string): Promise<string | 'missing' | undefined> {
  if (/^A(IDA|ROA)[A-Z2-7]{17}$/.test(name)) return 'missing'
  const arn = parseArn(name)
  const [kind] = arn?.service === 'iam' ? arn.resource.split('/') : []
  if (!arn || (kind !== 'user' && kind !== 'role')) return undefined
  if (!(await reader.get(accountKey(arn.account)))) return undefined

  const row = await (kind === 'user' ? rowWritten(reader, user, name) : rowWritten(reader, role, name))
  return row?.id ?? 'missing'
}

export async function arnNow(reader: Reader, arn: string, id: string): Promise<string | undefined> {
  const { account, resource } = parseArn(arn)!
  const kind = id.startsWith('AIDA') ? 'user' : 'role'
  const name =
    kind === 'user'
      ? (await reader.get<{ name: string }>(userIdKey(account, id)))?.name
      : resource.slice(resource.lastIndexOf('/') + 1)
  const row = name === undefined ? undefined : await rowOf(reader, kind, account, name)
  return row?.id === id ? `arn:aws:iam::${account}:${kind}${row.path}${row.name}` : undefined
}

/** By the last part of an ARN, in any case. */
export function rowOf(
  reader: Reader,
  kind: 'user' | 'role',
  account: string,
  name: string,
): Promise<UserRow | RoleRow | undefined> {
  const scope = { partition: 'aws', region: '', account }
  return kind === 'user' ? user.get(reader, scope, { name }) : role.get(reader, scope, { name })
}

/**
 * An account as `aws iam get-account-authorization-details` prints it: its users, groups, roles and policies.
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
 */
import type { Account, Identity } from '../../policy/account/identity.ts'
import type { CompiledPolicy, PolicyKind, Principal } from '../../policy/index.ts'
import { type Json, type JsonObject, parseJson, positions } from '../../policy/json.ts'
import { awsPolicy } from '../../services/iam/policies/aws-policies.ts'
import { compileSaved, InputError, readText } from './files.ts'

/** The replacement for the document of a policy in the file, by ARN. */
export type Replaced = ReadonlyMap<string, { readonly text: string; readonly file: string }>

/** Of large organizations; beyond, the file is something else. */
const CHARS_MAX = 512 * 1024 * 1024

/** Throws an `InputError` for a file that is something else. */
export async function readAccount(file: string, replaced: Replaced = new Map()): Promise<Account> {
  const text = readText(file)
  let root: Json
  try {
    root = parseJson(text, 'is not JSON', CHARS_MAX)
  } catch (error) {
    const { line, column, message } = error as { line: number; column: number; message: string }
    throw new InputError(`${file}:${line}:${column + 1}: ${message}`)
  }
  const reader = new AccountReader(file, text, root, replaced)
  return reader.account()
}

class AccountReader {
  readonly #file: string
  readonly #text: string
  readonly #root: Json
  readonly #replaced: Replaced
  readonly #lineOf: (offset: number) => number
  /** Compiled once, however often attached: by ARN and kind. */
  readonly #managed = new Map<string, Promise<CompiledPolicy>>()
  readonly #documents = new Map<string, Json>()

  constructor(file: string, text: string, root: Json, replaced: Replaced) {
    this.#file = file
    this.#text = text
    this.#root = root
    this.#replaced = replaced
    const position = positions(text)
    this.#lineOf = (offset) => position(offset).line
  }

  async account(): Promise<Account> {
    const lists = ['UserDetailList', 'GroupDetailList', 'RoleDetailList', 'Policies']
    if (this.#root.type !== 'object' || !lists.some((name) => (this.#root as JsonObject).members.has(name))) {
      throw this.#wrong('is not the output of `aws iam get-account-authorization-details`')
    }
    const [users, groups, roles, policies] = lists.map((name) => this.#list(this.#root, name)) as [
      Json[],
      Json[],
      Json[],
      Json[],
    ]
    for (const policy of policies) this.#note(policy)
    for (const arn of this.#replaced.keys()) {
      if (!this.#documents.has(arn)) throw this.#wrong(`has no policy ${arn} to replace`)
    }

    const byGroup = new Map<string, readonly CompiledPolicy[]>()
    for (const group of groups) {
      const name = this.#string(group, 'GroupName')
      byGroup.set(name, await this.#policiesOf(group, 'GroupPolicyList', `group/${name}`))
    }
    const identities: Identity[] = []
    for (const user of users) identities.push(await this.#user(user, byGroup))
    for (const role of roles) identities.push(await this.#role(role))
    const id = identities[0]?.arn.split(':')[4] ?? ''
    return { id, identities }
  }

  async #user(user: Json, byGroup: ReadonlyMap<string, readonly CompiledPolicy[]>): Promise<Identity> {
    const name = this.#string(user, 'UserName')
    const arn = this.#string(user, 'Arn')
    const own = await this.#policiesOf(user, 'UserPolicyList', `user/${name}`)
    const groups = this.#list(user, 'GroupList').map((group) => this.#textOf(group))
    const inherited = groups.flatMap((group) => {
      const policies = byGroup.get(group)
      if (!policies) throw this.#wrong(`has no group ${group}, of which ${name} is a member`)
      return policies
    })
    const userId = this.#string(user, 'UserId')
    const principal: Principal = { kind: 'user', account: accountOf(arn), arn, userId, name, tags: this.#tags(user) }
    const boundary = await this.#boundary(user)
    return { kind: 'user', name, arn, principal, policies: [...own, ...inherited], boundary, trust: undefined }
  }

  async #role(role: Json): Promise<Identity> {
    const name = this.#string(role, 'RoleName')
    const arn = this.#string(role, 'Arn')
    const account = accountOf(arn)
    const sessionName = 'session'
    const principal: Principal = {
      kind: 'role-session',
      account,
      arn: `${arn.split(':').slice(0, 2).join(':')}:sts::${account}:assumed-role/${name}/${sessionName}`,
      userId: `${this.#string(role, 'RoleId')}:${sessionName}`,
      tags: this.#tags(role),
      roleArn: arn,
      roleId: this.#string(role, 'RoleId'),
      roleName: name,
      sessionName,
      serviceLinked: arn.includes(':role/aws-service-role/'),
    }
    const trust = this.#member(role, 'AssumeRolePolicyDocument')
    return {
      kind: 'role',
      name,
      arn,
      principal,
      policies: await this.#policiesOf(role, 'RolePolicyList', `role/${name}`),
      boundary: await this.#boundary(role),
      trust: trust && this.#compile(trust, { id: `trust policy of role/${name}`, kind: 'trust' }),
    }
  }

  async #policiesOf(holder: Json, inlineList: string, owner: string): Promise<readonly CompiledPolicy[]> {
    const inline = this.#list(holder, inlineList).map((policy) => {
      const id = `${owner}: ${this.#string(policy, 'PolicyName')}`
      return this.#compile(this.#required(policy, 'PolicyDocument'), { id, kind: 'identity' })
    })
    const attached: CompiledPolicy[] = []
    for (const each of this.#list(holder, 'AttachedManagedPolicies')) {
      attached.push(await this.#policy(this.#string(each, 'PolicyArn'), 'identity'))
    }
    return [...inline, ...attached]
  }

  async #boundary(holder: Json): Promise<CompiledPolicy | undefined> {
    const boundary = this.#member(holder, 'PermissionsBoundary')
    return boundary && this.#policy(this.#string(boundary, 'PermissionsBoundaryArn'), 'boundary')
  }

  #policy(arn: string, kind: PolicyKind): Promise<CompiledPolicy> {
    const key = `${kind} ${arn}`
    let policy = this.#managed.get(key)
    if (!policy) this.#managed.set(key, (policy = this.#find(arn, kind)))
    return policy
  }

  async #find(arn: string, kind: PolicyKind): Promise<CompiledPolicy> {
    const source = { id: arn, arn, kind }
    const replaced = this.#replaced.get(arn)
    if (replaced) return compileSaved(replaced.text, source, { file: replaced.file, linesBefore: 0 })
    const document = this.#documents.get(arn)
    if (document) return this.#compile(document, source)
    // `--filter LocalManagedPolicy` leaves AWS's own out; they are the same everywhere.
    const aws = await awsPolicy(arn)
    const version = aws?.versions.find(({ id }) => id === aws.defaultVersion)
    if (!version) throw this.#wrong(`attaches ${arn}, and does not hold it`)
    return compileSaved(version.text, source, { file: arn, linesBefore: undefined })
  }

  /** The version in force. */
  #note(policy: Json): void {
    const arn = this.#string(policy, 'Arn')
    const inForce = this.#list(policy, 'PolicyVersionList').find((version) => {
      const flag = this.#member(version, 'IsDefaultVersion')
      return flag?.type === 'boolean' && flag.value === 'true'
    })
    if (!inForce) throw this.#wrong(`has no version of ${arn} in force`)
    this.#documents.set(arn, this.#required(inForce, 'Document'))
  }

  /** Decoded by the command line; other clients leave the documents as the API sends them, percent-encoded. */
  #compile(document: Json, source: { readonly id: string; readonly kind: PolicyKind }): CompiledPolicy {
    if (document.type === 'object') {
      const text = this.#text.slice(document.start, document.end)
      return compileSaved(text, source, { file: this.#file, linesBefore: this.#lineOf(document.start) - 1 })
    }
    const encoded = this.#textOf(document)
    const text = encoded.startsWith('%') ? decodeURIComponent(encoded) : encoded
    return compileSaved(text, source, { file: this.#file, linesBefore: undefined })
  }

  #tags(holder: Json): Readonly<Record<string, string>> {
    const tags = this.#list(holder, 'Tags')
    return Object.fromEntries(tags.map((tag) => [this.#string(tag, 'Key'), this.#string(tag, 'Value')]))
  }

  #member(node: Json, name: string): Json | undefined {
    if (node.type !== 'object') throw this.#wrong(`should have an object at line ${this.#lineOf(node.start)}`)
    const member = node.members.get(name)
    return member?.type === 'null' ? undefined : member
  }

  #required(node: Json, name: string): Json {
    const member = this.#member(node, name)
    if (!member) throw this.#wrong(`lacks ${name} at line ${this.#lineOf(node.start)}`)
    return member
  }

  #list(node: Json, name: string): Json[] {
    const member = this.#member(node, name)
    if (!member) return []
    if (member.type !== 'array') throw this.#wrong(`should have a list in ${name}, line ${this.#lineOf(member.start)}`)
    return [...member.items]
  }

  #string(node: Json, name: string): string {
    return this.#textOf(this.#required(node, name))
  }

  #textOf(node: Json): string {
    if (node.type !== 'string') throw this.#wrong(`should have a text at line ${this.#lineOf(node.start)}`)
    return node.value
  }

  #wrong(what: string): InputError {
    return new InputError(`${this.#file}: ${what}.`)
  }
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? ''
}

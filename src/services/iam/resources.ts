/** What exists in IAM: users, groups, roles, managed policies, instance profiles, and what hangs on them. */

import type { Row } from '../../kernel/resource/facts.ts'
import type { ResourceType } from '../../kernel/resource/resource-type.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key } from '../../store/store.ts'
import { tagRules } from './tags.ts'
import { alreadyExists, iam, invalidName, noSuchEntity } from './words.ts'

interface Named extends Row {
  readonly name: string
  readonly path: string
  /** The unique id: `AIDA…`, `AGPA…`, `AROA…`, `AIPA…`. */
  readonly id: string
  readonly createdAt: number
}

/** What carries policies: users, groups and roles alike. */
export interface IamIdentity extends Named {
  /** ARNs of attached managed policies, in the order they were attached. */
  readonly attached: readonly string[]
  /** Inline policies, verbatim, by name. */
  readonly inline: Readonly<Record<string, string>>
  /** The managed policy that bounds it; groups have none. */
  readonly boundary?: string
}

export interface UserRow extends IamIdentity {
  /** Names of the user's groups. */
  readonly groups: readonly string[]
  readonly passwordUsedAt?: number
}

export type GroupRow = IamIdentity

export interface RoleRow extends IamIdentity {
  /** The trust policy, as it was written. */
  readonly trust: string
  /** The unique ids of the users and roles it named when it was saved, by ARN (see `trust.ts`). */
  readonly trusted: Readonly<Record<string, string>>
  readonly description?: string
  readonly maxSessionSeconds: number
  /** The service that owns a service-linked role. */
  readonly linkedService?: string
  /** The service that keeps a reserved role, which only that service changes. Control policies bind it. */
  readonly reservedBy?: string
}

export interface InstanceProfileRow extends Named {
  readonly role?: string
}

/** What a user, role and the like are found by: the name. The path is only in the ARN; default `/`. */
export type NameId = { readonly name: string; readonly path?: string }

interface PathNamed extends Row {
  readonly name: string
  readonly path: string
}

/** Path without its first slash, and name. Never an ARN: a name out of a request makes no ARN within an ARN. */
export const NAME_WITH_PATH = '(?!arn:)(?:[!-~]+/)?[\\w+=,.@-]+'

/** What types have in common whose ARN ends in path and name. `variable` is that part of the ARN form. */
export const foundByName = <const V extends string>(variable: V) => ({
  patterns: { [variable]: NAME_WITH_PATH } as Record<V, string>,
  storedPer: 'account' as const,
  identity: {
    names: ['name'] as const,
    toArn: (id: NameId, row: PathNamed | undefined) => {
      const { name, path = '/' } = row ?? id
      return { [variable]: `${path.slice(1)}${name}` } as Record<V, string>
    },
    fromArn: (variables: Readonly<Record<V, string>>): NameId => {
      const text = variables[variable]
      const slash = text.lastIndexOf('/')
      return { name: text.slice(slash + 1), path: `/${text.slice(0, slash + 1)}` }
    },
  },
  idOf: ({ name, path }: PathNamed): NameId => ({ name, path }),
  /** Names are unique in any case. */
  normalize: (name: string) => name.toLowerCase(),
})

/** What a request names that creates: `{ UserName, Path }`. */
export const nameIn =
  <const K extends string>(member: K) =>
  (input: { readonly [P in K]: string } & { readonly Path?: string | undefined }): NameId => ({
    name: input[member],
    path: input.Path ?? '/',
  })

/** The row of an ARN that is written exactly as it is; the caller checks the account. */
export async function rowWritten<const T extends string, R extends PathNamed>(
  reader: Pick<Reader, 'get'>,
  type: ResourceType<T, R, NameId>,
  arn: string,
): Promise<R | undefined> {
  const parsed = type.form.parse(arn)
  if (parsed?.account === undefined) return undefined
  const scope = { partition: 'aws', region: '', account: parsed.account }
  const row = await type.get(reader, scope, type.spec.identity!.fromArn!(parsed.variables))
  return row && type.arnOf(scope, row) === arn ? row : undefined
}

/** Lists are authorized on the path they list: `…:user/people/`. */
export const underPath =
  <const V extends string>(variable: V) =>
  ({ PathPrefix = '/' }: { readonly PathPrefix?: string | undefined }) =>
    ({ [variable]: PathPrefix.slice(1) }) as Record<V, string>

export const user = iam.resource({
  kind: 'user',
  type: 'AWS::IAM::User',
  arn: 'arn:${Partition}:iam::${Account}:user/${UserNameWithPath}',
  ...foundByName('UserNameWithPath'),
  idOf: ({ name, path }: UserRow): NameId => ({ name, path }),
  shortForm: 'name',
  tags: tagRules('iam:TagUser'),
  faults: {
    notFound: (_arn, { name }) => noSuchEntity('user', name),
    invalidReference: () => invalidName('userName'),
    alreadyExists: (_arn, { name }) => alreadyExists('User', name),
  },
})
/** Where a user's name is found by its id, whatever it is called today. */
export const userIdKey = (account: string, id: string): Key => key('iam', 'user-id', account, id)

export const group = iam.resource({
  kind: 'group',
  type: 'AWS::IAM::Group',
  arn: 'arn:${Partition}:iam::${Account}:group/${GroupNameWithPath}',
  ...foundByName('GroupNameWithPath'),
  idOf: ({ name, path }: GroupRow): NameId => ({ name, path }),
  shortForm: 'name',
  faults: {
    notFound: (_arn, { name }) => noSuchEntity('group', name),
    invalidReference: () => invalidName('groupName'),
    alreadyExists: (_arn, { name }) => alreadyExists('Group', name),
  },
})

export const role = iam.resource({
  kind: 'role',
  type: 'AWS::IAM::Role',
  arn: 'arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}',
  ...foundByName('RoleNameWithPath'),
  idOf: ({ name, path }: RoleRow): NameId => ({ name, path }),
  shortForm: 'name',
  tags: tagRules('iam:TagRole'),
  faults: {
    notFound: (_arn, { name }) => noSuchEntity('role', name),
    invalidReference: () => invalidName('roleName'),
    alreadyExists: (_arn, { name }) => alreadyExists('Role', name),
  },
})

export const instanceProfile = iam.resource({
  kind: 'instance-profile',
  type: 'AWS::IAM::InstanceProfile',
  arn: 'arn:${Partition}:iam::${Account}:instance-profile/${InstanceProfileNameWithPath}',
  ...foundByName('InstanceProfileNameWithPath'),
  idOf: ({ name, path }: InstanceProfileRow): NameId => ({ name, path }),
  shortForm: 'name',
  tags: tagRules('iam:TagInstanceProfile'),
  faults: {
    notFound: (_arn, { name }) => iam.fail('NoSuchEntityException', `Instance Profile ${name} cannot be found.`),
    invalidReference: () => invalidName('instanceProfileName'),
    alreadyExists: (_arn, { name }) =>
      iam.fail('EntityAlreadyExistsException', `Instance Profile ${name} already exists.`),
  },
})

/** The resource types of KMS: keys, under policies of their own, and the aliases that lead to them. */
import type { Scope } from '../../kernel/gate/call.ts'
import { keyFacts } from './key-facts.ts'
import type { AliasRow, KeyRow } from './rows.ts'
import { tagRules } from './tag-rules.ts'
import { invalid, kms } from './words.ts'

type RegionScope = Pick<Scope, 'account' | 'region'>

export const keyNotFound = (of: string) => kms.fail('NotFoundException', `Key '${of}' does not exist`)
export const aliasNotFound = (of: string) => kms.fail('NotFoundException', `Alias ${of} is not found.`)
export const invalidKeyId = (text: string) => kms.fail('NotFoundException', `Invalid keyId '${text}'`)
export const invalidAliasName = () =>
  kms.fail(
    'InvalidAliasNameException',
    'Alias must contain only alphanumeric characters, forward slashes (/), underscores (_), and dashes (-).',
  )

/** Operations read references by `references.ts`: some accept aliases, too. */
export const key = kms.resource({
  kind: 'key',
  type: 'AWS::KMS::Key',
  arn: 'arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}',
  storedPer: 'region',
  shortForm: 'KeyId',
  crossAccount: true,
  idOf: (row: KeyRow) => ({ KeyId: row.id }),
  policy: ({ policy, pins }) => ({ text: policy, pins }),
  // The root of all authority over the key.
  policyMode: 'required',
  policySource: (arn) => ({ id: 'default', arn }),
  facts: keyFacts,
  tags: tagRules,
  faults: { notFound: keyNotFound, invalidReference: invalidKeyId },
})

export const ALIAS_PREFIX = 'alias/'

/** Under IAM alone: an alias has no policy. The key that it refers to is authorized separately. */
export const alias = kms.resource({
  kind: 'alias',
  type: 'AWS::KMS::Alias',
  arn: 'arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}',
  patterns: { Alias: '[a-zA-Z0-9/_-]+' },
  storedPer: 'region',
  // Rows and requests name an alias with its prefix.
  identity: {
    names: ['name'],
    toArn: ({ name }: AliasId) => ({ Alias: name.slice(ALIAS_PREFIX.length) }),
  },
  idOf: (row: AliasRow) => ({ name: row.name }),
  reference: (call, text) => (text.startsWith(ALIAS_PREFIX) ? { scope: call, id: { name: text } } : undefined),
  faults: {
    notFound: aliasNotFound,
    invalidReference: (text) => (text.startsWith(ALIAS_PREFIX) ? invalidAliasName() : invalid('Invalid identifier')),
    alreadyExists: (arn) => kms.fail('AlreadyExistsException', `An alias with the name ${arn} already exists`),
  },
})

type AliasId = { readonly name: string }
export type KeyId = { readonly KeyId: string }

export const scopeOf = ({ account, region }: RegionScope): Scope => ({ partition: 'aws', region, account })

export const keyArn = (scope: RegionScope, id: string): string => key.arn(scopeOf(scope), { KeyId: id })
export const arnOf = (row: KeyRow): string => keyArn(row, row.id)

/** Of a name in a request, which need not be one that an alias can have. */
export const aliasArn = (scope: RegionScope, name: string): string =>
  alias.form.printPattern(scopeOf(scope), { Alias: name.slice(ALIAS_PREFIX.length) })

export const unsupported = (of: KeyRow, operation: string) =>
  kms.fail(
    'UnsupportedOperationException',
    `${arnOf(of)} of key spec ${of.spec} and origin ${of.origin} does not support ${operation}.`,
  )

/** Directory Service's one resource type: a directory that connects to LDAP servers of the operator's. */
import type * as DirectoryService from '@aws-sdk/client-directory-service'
import type { Progress } from '../../kernel/jobs/lifecycle.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'

export const ds = defineService<typeof DirectoryService>('ds')

export type DirectoryState = 'Creating' | 'Active' | 'Inoperable' | 'Failed'

export interface TrustRow {
  readonly id: string
  readonly remoteDomain: string
  readonly direction: DirectoryService.TrustDirection
  readonly type: DirectoryService.TrustType
  readonly createdAt: number
}

export interface DirectoryRow extends Row {
  readonly id: string
  readonly account: string
  readonly type: 'ADConnector' | 'SimpleAD' | 'MicrosoftAD'
  /** The domain: `corp.example.com`. */
  readonly name: string
  readonly shortName?: string
  readonly description?: string
  readonly size?: DirectoryService.DirectorySize
  readonly edition?: DirectoryService.DirectoryEdition
  readonly alias?: string
  readonly vpc?: { readonly id: string; readonly subnets: readonly string[] }
  readonly dnsIps: readonly string[]
  /** The service account, and its password. */
  readonly userName: string
  readonly password: Sealed
  readonly isSsoEnabled: boolean
  readonly trusts: readonly TrustRow[]
  readonly createdAt: number
  readonly stageReason?: string | undefined
  readonly progress: Progress<DirectoryState>
}

const notFound = (text: string) => ds.fail('EntityDoesNotExistException', `Directory ${text} does not exist.`)

export const directory = ds.resource({
  kind: 'directory', // begins the keys of the rows: never change it
  type: 'AWS::DirectoryService::Directory',
  arn: 'arn:${Partition}:ds:${Region}:${Account}:directory/${DirectoryId}',
  patterns: { DirectoryId: 'd-[0-9a-f]{10}' },
  storedPer: 'region',
  shortForm: 'DirectoryId',
  idOf: (row: DirectoryRow) => ({ DirectoryId: row.id }),
  tags: {
    action: 'ds:AddTagsToResource',
    member: 'Tags',
    problems: {
      duplicate: () => ds.fail('InvalidParameterException', 'Duplicate tag keys found.'),
      reserved: () => ds.fail('InvalidParameterException', 'Tag keys that begin with aws: are reserved.'),
      'too-many': () => ds.fail('TagLimitExceededException', `A directory can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound,
    invalidReference: notFound,
  },
})

export const passwordPlace = (account: string, id: string): SealContext => ({
  table: 'ds/directory',
  key: id,
  column: 'password',
  account,
})

/** Where a directory's row is, by its ID or alias: people sign in without naming an account or a Region. */
export const signInKey = (idOrAlias: string): Key => key('ds', 'sign-in', idOrAlias.toLowerCase())

export interface SignInRow {
  readonly at: Key
}

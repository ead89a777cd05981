/** Managed prefix lists: named sets of blocks, with versions. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { parseBlock, printBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { AWS } from './defaults.ts'
import { nothing, op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { depended, fault, invalid, missing, need } from './faults.ts'
import { parseFilters } from './filters.ts'
import { type PrefixListRow, prefixList, routeTable, securityGroup } from './resources.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const ENTRIES_MAX = 1000
const LISTS_MAX = 100
const VERSIONS_MAX = 100

export const entriesOf = (row: PrefixListRow): readonly EC2.PrefixListEntry[] => row.versions.at(-1)?.entries ?? []

function blockOf(text: string | undefined, family: string | undefined): string {
  const block = parseBlock(need(text, 'cidr'))
  if (!block || `IPv${block.family}` !== family)
    throw invalid(`The CIDR ${text} is not valid for a prefix list of ${family}.`)
  return printBlock(block)
}

export const createManagedPrefixList = op(
  'CreateManagedPrefixList',
  [prefixList.created()],
  async (call, input, [{ id, arn, create }]) => {
    const { PrefixListName, MaxEntries, AddressFamily } = input
    if (PrefixListName.startsWith('com.amazonaws'))
      throw invalid('The name of a prefix list cannot begin with com.amazonaws.')
    if (AddressFamily !== 'IPv4' && AddressFamily !== 'IPv6')
      throw invalid(`Value (${AddressFamily}) for parameter addressFamily is invalid.`)
    if (MaxEntries === undefined || MaxEntries < 1 || MaxEntries > ENTRIES_MAX)
      throw invalid(`Value (${MaxEntries}) for parameter maxEntries is invalid.`)
    const own = (await prefixList.all(call)).filter(({ data }) => data.OwnerId !== AWS)
    if (own.length >= (call.quotas['ec2/PrefixListsPerRegion'] ?? LISTS_MAX)) {
      throw fault('PrefixListLimitExceeded', 'The maximum number of prefix lists has been reached.')
    }
    const entries = entriesWith([], input.Entries ?? [], [], AddressFamily)
    if (entries.length > MaxEntries)
      throw fault('PrefixListMaxEntriesExceeded', `The prefix list can have at most ${MaxEntries} entries.`)
    const row = create(
      {
        PrefixListId: id,
        PrefixListArn: arn,
        PrefixListName,
        AddressFamily,
        MaxEntries,
        State: 'create-complete',
        Version: 1,
        OwnerId: call.account,
      },
      { versions: [{ version: 1, entries }] },
    )
    return { PrefixList: { ...prefixList.show(row, call.now), State: 'create-in-progress' } }
  },
)

function assertOwn({ OwnerId, PrefixListId }: EC2.ManagedPrefixList): void {
  if (OwnerId === AWS) throw fault('OperationNotPermitted', `The prefix list ${PrefixListId} is managed by AWS.`)
}

function entriesWith(
  before: readonly EC2.PrefixListEntry[],
  add: readonly { readonly Cidr?: string | undefined; readonly Description?: string | undefined }[],
  remove: readonly { readonly Cidr?: string | undefined }[],
  family: string | undefined,
): readonly EC2.PrefixListEntry[] {
  const entries = new Map(before.map((entry) => [entry.Cidr!, entry]))
  for (const { Cidr } of remove) {
    const block = blockOf(Cidr, family)
    if (!entries.delete(block)) throw invalid(`The prefix list has no entry ${block}.`)
  }
  for (const { Cidr, Description } of add) {
    const block = blockOf(Cidr, family)
    entries.set(block, { Cidr: block, ...(Description !== undefined && Description !== '' && { Description }) })
  }
  return [...entries.values()]
}

export const modifyManagedPrefixList = op(
  'ModifyManagedPrefixList',
  [prefixList.at('PrefixListId')],
  (call, input, [{ row, data, set }]) => {
    assertOwn(data)
    const { CurrentVersion, PrefixListName, MaxEntries, AddEntries = [], RemoveEntries = [] } = input
    const changesEntries = AddEntries.length > 0 || RemoveEntries.length > 0
    if (changesEntries && MaxEntries !== undefined)
      throw fault('InvalidParameterCombination', 'Entries and MaxEntries cannot be changed together.')
    if (changesEntries && CurrentVersion === undefined) throw missing('currentVersion')
    if (CurrentVersion !== undefined && CurrentVersion !== data.Version) {
      throw fault('PrefixListVersionMismatch', `The prefix list has the version ${data.Version}.`)
    }
    const entries = changesEntries
      ? entriesWith(entriesOf(row), AddEntries, RemoveEntries, data.AddressFamily)
      : entriesOf(row)
    const most = MaxEntries ?? data.MaxEntries!
    if (most < 1 || most > ENTRIES_MAX) throw invalid(`Value (${most}) for parameter maxEntries is invalid.`)
    if (entries.length > most)
      throw fault('PrefixListMaxEntriesExceeded', `The prefix list can have at most ${most} entries.`)
    const version = (data.Version ?? 1) + (changesEntries ? 1 : 0)
    const after = set(
      {
        MaxEntries: most,
        Version: version,
        State: 'modify-complete',
        ...(PrefixListName !== undefined && { PrefixListName }),
      },
      { versions: changesEntries ? [...row.versions, { version, entries }].slice(-VERSIONS_MAX) : row.versions },
    )
    return { PrefixList: { ...prefixList.show(after, call.now), State: 'modify-in-progress' } }
  },
)

export const restoreManagedPrefixListVersion = op(
  'RestoreManagedPrefixListVersion',
  [prefixList.at('PrefixListId')],
  (call, input, [{ row, data, set }]) => {
    assertOwn(data)
    if (input.CurrentVersion !== data.Version)
      throw fault('PrefixListVersionMismatch', `The prefix list has the version ${data.Version}.`)
    const old = row.versions.find(({ version }) => version === input.PreviousVersion)
    if (!old) throw fault('InvalidPrefixListVersion', `The prefix list has no version ${input.PreviousVersion}.`)
    const version = (data.Version ?? 1) + 1
    const after = set(
      { Version: version, State: 'restore-complete' },
      { versions: [...row.versions, { version, entries: old.entries }].slice(-VERSIONS_MAX) },
    )
    return { PrefixList: prefixList.show(after, call.now) }
  },
)

/** What names the list. */
async function users(call: Call, id: string): Promise<readonly EC2.PrefixListAssociation[]> {
  const groups = (await securityGroup.all(call)).filter(({ rules }) => rules.some((rule) => rule.prefixList === id))
  const tables = (await routeTable.all(call)).filter(({ data }) =>
    data.Routes?.some(({ DestinationPrefixListId }) => DestinationPrefixListId === id),
  )
  return [...groups, ...tables].map((row) => ({ ResourceId: row.id, ResourceOwner: row.account }))
}

export const deleteManagedPrefixList = op(
  'DeleteManagedPrefixList',
  [prefixList.at('PrefixListId')],
  async (call, _input, [{ id, row, remove }]) => {
    assertOwn(row.data)
    if ((await users(call, id)).length > 0) throw depended(`The prefix list '${id}' is in use.`)
    remove()
    return { PrefixList: { ...prefixList.show(row, call.now), State: 'delete-in-progress' } }
  },
)

export const describeManagedPrefixLists = describe('DescribeManagedPrefixLists', prefixList, {
  ids: 'PrefixListIds',
  result: 'PrefixLists',
  filters: 'owner-id prefix-list-id prefix-list-name',
})

export const getManagedPrefixListEntries = op(
  'GetManagedPrefixListEntries',
  [prefixList.at('PrefixListId')],
  (_call, input, [{ row }]) => {
    const wanted =
      input.TargetVersion === undefined
        ? row.versions.at(-1)
        : row.versions.find(({ version }) => version === input.TargetVersion)
    if (!wanted) throw fault('InvalidPrefixListVersion', `The prefix list has no version ${input.TargetVersion}.`)
    return { Entries: [...wanted.entries] }
  },
)

export const getManagedPrefixListAssociations = op(
  'GetManagedPrefixListAssociations',
  [prefixList.at('PrefixListId')],
  async (call, _input, [{ id }]) => ({
    PrefixListAssociations: [...(await users(call, id))],
  }),
)

export const describePrefixLists = op('DescribePrefixLists', nothing, async (call, input) => {
  const { keeps } = parseFilters('prefix-list-id prefix-list-name')(input.Filters ?? [])
  const rows = await prefixList.all(call)
  const lists = rows.map((row) => ({
    PrefixListId: row.id,
    PrefixListName: row.data.PrefixListName,
    Cidrs: entriesOf(row).map(({ Cidr }) => Cidr!),
  }))
  const ids = input.PrefixListIds ?? []
  for (const id of ids) await prefixList.require(call, id)
  return { PrefixLists: lists.filter((list) => (ids.length === 0 || ids.includes(list.PrefixListId)) && keeps(list)) }
})

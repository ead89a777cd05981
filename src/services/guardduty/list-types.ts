/** The four kinds of lists: what they are called, how many there may be, and how long each may be. */

import type { Reader } from '../../kernel/state/reader.ts'
import type { Entry, Key } from '../../store/store.ts'
import { ipSet, type ListKind, type ListRow, threatEntitySet, threatIntelSet, trustedEntitySet } from './resources.ts'

interface Place {
  readonly account: string
  readonly region: string
}

export interface ListType {
  /** Quotas: of lists in a Region, and of entries in a list. */
  readonly countQuota: string
  readonly entriesQuota: string
  readonly withDomains: boolean
  /** No finding is made of what a trusted list names. */
  readonly isTrusted: boolean
  readonly type: string
  arnOf(row: ListRow): string
  keyOf(row: ListRow): Key
  list(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly Entry<ListRow>[]>
  /** With those that are deleted and still shown. */
  stored(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly Entry<ListRow>[]>
}

const of = (
  resource: typeof ipSet | typeof threatIntelSet | typeof threatEntitySet | typeof trustedEntitySet,
  facts: Pick<ListType, 'countQuota' | 'entriesQuota' | 'withDomains' | 'isTrusted'>,
): ListType => ({
  ...facts,
  type: resource.spec.type,
  arnOf: (row) => resource.arnOf(row, row),
  keyOf: (row) => resource.key(row, resource.spec.idOf!(row) as never),
  list: async (reader, place) =>
    (await resource.list(reader, place)).filter(({ document }) => document.state !== 'DELETED'),
  stored: (reader, place) => resource.list(reader, place),
})

export const listTypes: Readonly<Record<ListKind, ListType>> = {
  ipset: of(ipSet, {
    countQuota: 'guardduty/IPSetsPerDetector',
    entriesQuota: 'guardduty/EntriesPerIPSet',
    withDomains: false,
    isTrusted: true,
  }),
  threatintelset: of(threatIntelSet, {
    countQuota: 'guardduty/ThreatIntelSetsPerDetector',
    entriesQuota: 'guardduty/EntriesPerThreatIntelSet',
    withDomains: false,
    isTrusted: false,
  }),
  threatentityset: of(threatEntitySet, {
    countQuota: 'guardduty/ThreatEntitySetsPerDetector',
    entriesQuota: 'guardduty/EntriesPerThreatEntitySet',
    withDomains: true,
    isTrusted: false,
  }),
  trustedentityset: of(trustedEntitySet, {
    countQuota: 'guardduty/TrustedEntitySetsPerDetector',
    entriesQuota: 'guardduty/EntriesPerTrustedEntitySet',
    withDomains: true,
    isTrusted: true,
  }),
}

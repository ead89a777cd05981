/** GuardDuty's resource types: detectors, what belongs to one, and malware protection plans. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type { Scope } from '../../kernel/gate/call.ts'
import type { Progress } from '../../kernel/jobs/lifecycle.ts'
import { ArnForm } from '../../kernel/resource/arn-form.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { ReferenceReader } from '../../kernel/resource/resource-type.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { anything, type Target } from '../../kernel/resource/target.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, under } from '../../store/store.ts'
import { badRequest, guardduty, noSuchResource, notOwned } from './faults.ts'
import type { FeatureStates } from './features.ts'

/** As CloudTrail and policies name GuardDuty. */
export const PRINCIPAL = 'guardduty.amazonaws.com'

export interface DetectorRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly isEnabled: boolean
  /** Since when it detects; epoch milliseconds. Earlier events give no findings. */
  readonly enabledAt: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly frequency: GuardDuty.FindingPublishingFrequency
  readonly features: FeatureStates
  readonly scanSettings?: {
    readonly criteria?: GuardDuty.ScanResourceCriteria
    readonly preservation?: GuardDuty.EbsSnapshotPreservation
  }
}

/** What belongs to a detector. */
export interface OwnedRow extends Row {
  readonly detector: string
  readonly id: string
}

export interface FilterRow extends OwnedRow {
  readonly description?: string
  readonly action: GuardDuty.FilterAction
  readonly rank: number
  readonly criteria: GuardDuty.FindingCriteria
}

/** A deleted list is shown as such for an hour, as clients that wait for the end expect; it is in no listing. */
export type ListState = 'INACTIVE' | 'ACTIVATING' | 'ACTIVE' | 'ERROR' | 'DELETED'

/** A list of addresses and domains, trusted or threatening, read from a bucket. */
export interface ListRow extends OwnedRow {
  readonly kind: ListKind
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly name: string
  readonly format: GuardDuty.IpSetFormat
  readonly location: string
  readonly expectedOwner?: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly state: ListState
  /** Counts activations: what an older one reads is dropped. */
  readonly revision: number
  readonly error?: string | undefined
  /** What was read when it was activated. */
  readonly contents?: ListContents | undefined
}

export interface ListContents {
  readonly entries: number
  /** Lines that are neither an address, a network nor a domain. */
  readonly skipped: number
  /** Of the file, lower-case hexadecimal: what findings name as evidence. */
  readonly sha256: string
}

export const LIST_KINDS = ['ipset', 'threatintelset', 'threatentityset', 'trustedentityset'] as const
export type ListKind = (typeof LIST_KINDS)[number]

export type DestinationState = 'PENDING_VERIFICATION' | 'PUBLISHING' | 'UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY'

export interface DestinationRow extends OwnedRow {
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly bucketArn: string
  /** Below which files are written: what follows the bucket in the ARN, without slashes around it. */
  readonly prefix: string
  readonly keyArn: string
  readonly createdAt: number
  /** Epoch milliseconds; while it cannot be published to. */
  readonly failingSince?: number | undefined
  readonly progress: Progress<DestinationState>
}

export interface PlanRow extends Row {
  readonly id: string
  readonly role: string
  readonly bucket: string
  readonly prefixes: readonly string[]
  readonly tagging: boolean
  readonly createdAt: number
}

const tagFault = (message: string) => () => badRequest(`The request is rejected because ${message}.`)
const tags = {
  action: 'guardduty:TagResource',
  member: 'Tags',
  problems: {
    duplicate: tagFault('the tags contain duplicate keys'),
    reserved: tagFault('tag keys must not begin with aws:'),
    'too-many': tagFault(`a resource can have at most ${TAGS_MAX} tags`),
  },
}
const faults = { notFound: noSuchResource, invalidReference: noSuchResource }
const ID = '[A-Za-z0-9_-]{1,64}'
const ID_FORM = new RegExp(`^${ID}$`)
export const isId = (text: string): boolean => ID_FORM.test(text)

export const detector = guardduty.resource({
  kind: 'detector', // begins the keys of the rows: never change it, here and below
  type: 'AWS::GuardDuty::Detector',
  arn: 'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}',
  patterns: { DetectorId: ID },
  storedPer: 'region',
  shortForm: 'DetectorId',
  idOf: (row: DetectorRow) => ({ DetectorId: row.id }),
  tags,
  faults: { notFound: notOwned, invalidReference: notOwned },
})

/** Reads an ID beside the `DetectorId` of the request, or an ARN. A missing detector is reported before what is below it. */
function below<const T extends string, N extends string>(
  template: T,
  patterns: Readonly<Record<N, string>>,
  name: N,
): ReferenceReader<Readonly<Record<'DetectorId' | N, string>>> {
  type Id = Readonly<Record<'DetectorId' | N, string>>
  const form = new ArnForm<T>(template, { DetectorId: ID, ...patterns } as object)
  return async (call, text, input) => {
    if (text.startsWith('arn:')) {
      const parsed = form.parse(text)
      if (parsed?.partition !== call.partition) return undefined
      const { account = call.account, region = call.region, variables } = parsed
      return { scope: { partition: call.partition, account, region }, id: variables as unknown as Id }
    }
    const { DetectorId = '' } = input as { readonly DetectorId?: string }
    if (!isId(DetectorId)) throw notOwned()
    const isOwned = (await detector.get(call.unit, call, { DetectorId })) !== undefined
    return { scope: call, id: { DetectorId, [name]: text } as Id, ...(!isOwned && { absent: notOwned }) }
  }
}

export const filter = guardduty.resource({
  kind: 'filter',
  type: 'AWS::GuardDuty::Filter',
  arn: 'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/filter/${FilterName}',
  patterns: { DetectorId: ID, FilterName: '[A-Za-z0-9_.-]{1,64}' },
  storedPer: 'region',
  idOf: (row: FilterRow) => ({ DetectorId: row.detector, FilterName: row.id }),
  reference: below(
    'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/filter/${FilterName}',
    { FilterName: '[A-Za-z0-9_.-]{1,64}' },
    'FilterName',
  ),
  tags,
  faults: {
    ...faults,
    alreadyExists: () => badRequest('The request is rejected because a filter with the given name already exists.'),
  },
})

/** What belongs to a detector, by an ID that is the last part of its ARN. */
const owned =
  <R extends OwnedRow>(kind: string, type: string) =>
  <const T extends string, const N extends string>(arn: T, variable: N) => {
    type Id = Readonly<Record<'DetectorId' | N, string>>
    return guardduty.resource<T, R, Id>({
      kind,
      type,
      arn,
      patterns: { DetectorId: ID, [variable]: ID } as object,
      storedPer: 'region',
      idOf: (row: R) => ({ DetectorId: row.detector, [variable]: row.id }) as Id,
      reference: below(arn, { [variable]: ID } as Readonly<Record<N, string>>, variable),
      tags,
      faults,
    })
  }

export const ipSet = owned<ListRow>('ipset', 'AWS::GuardDuty::IPSet')(
  'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/ipset/${IPSetId}',
  'IPSetId',
)

export const threatIntelSet = owned<ListRow>('threatintelset', 'AWS::GuardDuty::ThreatIntelSet')(
  'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/threatintelset/${ThreatIntelSetId}',
  'ThreatIntelSetId',
)

export const threatEntitySet = owned<ListRow>('threatentityset', 'AWS::GuardDuty::ThreatEntitySet')(
  'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/threatentityset/${ThreatEntitySetId}',
  'ThreatEntitySetId',
)

export const trustedEntitySet = owned<ListRow>('trustedentityset', 'AWS::GuardDuty::TrustedEntitySet')(
  'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/trustedentityset/${TrustedEntitySetId}',
  'TrustedEntitySetId',
)

export const destination = owned<DestinationRow>('destination', 'AWS::GuardDuty::PublishingDestination')(
  'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/publishingdestination/${PublishingDestinationId}',
  'PublishingDestinationId',
)

export const malwareProtectionPlan = guardduty.resource({
  kind: 'malware-protection-plan',
  type: 'AWS::GuardDuty::MalwareProtectionPlan',
  arn: 'arn:${Partition}:guardduty:${Region}:${Account}:malware-protection-plan/${MalwareProtectionPlanId}',
  patterns: { MalwareProtectionPlanId: ID },
  storedPer: 'region',
  shortForm: 'MalwareProtectionPlanId',
  idOf: (row: PlanRow) => ({ MalwareProtectionPlanId: row.id }),
  tags,
  faults: {
    notFound: () =>
      guardduty.fail('ResourceNotFoundException', 'The requested malware protection plan does not exist.', {
        Type: 'ResourceNotFoundException',
      }),
    invalidReference: () =>
      guardduty.fail('ResourceNotFoundException', 'The requested malware protection plan does not exist.', {
        Type: 'ResourceNotFoundException',
      }),
  },
})

/**
 * The caller's detector, for operations that IAM knows no resource type for: they are authorized on `*`, and only then is a
 * missing detector reported.
 */
export const ofDetector: Target<{ readonly DetectorId?: string | undefined }, DetectorRow> = {
  find: async (call, { DetectorId = '' }) => ({
    ...(await anything.find(call, {})),
    row: await ownDetector(call, DetectorId),
    missing: notOwned,
  }),
}

type Reading = Scope & { readonly unit: Pick<Reader, 'get'> }

async function ownDetector(call: Reading, DetectorId: string): Promise<DetectorRow | undefined> {
  return isId(DetectorId) ? detector.get(call.unit, call, { DetectorId }) : undefined
}

/** The caller's detector, where the operation is authorized on something else. Throws where it has none of this ID. */
export async function requireDetector(call: Reading, DetectorId: string | undefined): Promise<DetectorRow> {
  const row = await ownDetector(call, DetectorId ?? '')
  if (!row) throw notOwned()
  return row
}

/** The detector of an account in a Region: there is at most one. */
export async function detectorIn(
  reader: Pick<Reader, 'range'>,
  place: { readonly account: string; readonly region: string },
): Promise<DetectorRow | undefined> {
  return (await detector.list(reader, place, { limit: 1 }))[0]?.document
}

/** Of all accounts and Regions. */
export async function enabledDetectors(reader: Pick<Reader, 'range'>): Promise<readonly DetectorRow[]> {
  const rows = await reader.range<DetectorRow>(under('guardduty', 'detector'))
  return rows.map(({ document }) => document).filter(({ isEnabled }) => isEnabled)
}

/** Of an account in all Regions, suspended ones too. */
export async function detectorsOf(reader: Pick<Reader, 'range'>, account: string) {
  const rows = await reader.range<DetectorRow>(under('guardduty', 'detector', account))
  return rows.map(({ document }) => ({ region: document.region, arn: detector.arnOf(document, document) }))
}

/** A request's token for creating something, which gives the same answer for a day. */
export const clientTokenKey = (account: string, region: string, operation: string, token: string): Key =>
  key('guardduty', 'client-token', account, region, operation, token)

/** 32 hexadecimal digits, as all of GuardDuty's IDs. */
export const newId = (call: { newId(): string }): string => call.newId().replaceAll('-', '')

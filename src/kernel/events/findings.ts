/**
 * Findings: what detectors saw, in GuardDuty's shape. There is one row for each product, type and resource; a sighting of
 * the same again is counted there. Services that show findings read these rows and print shapes of their own.
 */
import { createHash } from 'node:crypto'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { lengths } from '../../vault/aead.ts'
import type { Reader } from '../state/reader.ts'

/** The product of Merlon's own detectors. */
export const MERLON = 'merlon'

/** As GuardDuty describes a resource: its type, and details under a member that is named after the type. */
export interface FindingResource {
  readonly resourceType: string
}

/** Members as GuardDuty's API names them: AWS, "Finding" of the GuardDuty API reference. */
export interface Finding<R extends FindingResource = FindingResource> {
  readonly schemaVersion: '2.0'
  readonly id: string
  readonly accountId: string
  readonly partition: 'aws'
  readonly region: string
  /** ThreatPurpose:ResourceTypeAffected/ThreatFamilyName, as GuardDuty builds its types. */
  readonly type: string
  /** 7 to 8.9 is high. */
  readonly severity: number
  readonly title: string
  readonly description: string
  readonly resource: R
  readonly service: {
    /** The product. */
    readonly serviceName: string
    readonly count: number
    readonly eventFirstSeen: string
    readonly eventLastSeen: string
    readonly archived: boolean
  }
  readonly createdAt: string
  readonly updatedAt: string
}

/** What makes two sightings one finding. */
export interface FindingIdentity {
  readonly product: string
  readonly type: string
  /** What names the resource among all: an ARN, or the parts of a key. Detectors bound how many resources they report. */
  readonly resourceId: readonly string[]
}

export interface Sighting<R extends FindingResource = FindingResource>
  extends FindingIdentity,
    Pick<Finding<R>, 'region' | 'severity' | 'title' | 'description' | 'resource'> {
  readonly account: string
  /** Epoch milliseconds. */
  readonly firstMs: number
  readonly lastMs: number
  readonly count: number
}

/** AWS: findings are kept for 90 days. */
export const KEPT_MS = 90 * 24 * 60 * 60 * 1000

const FINDINGS = under('kernel', 'finding')
const rowOf = (account: string, id: string): Key => key('kernel', 'finding', account, id)

/** Of all accounts, or of one. */
export async function findings(reader: Reader, account?: string): Promise<readonly Finding[]> {
  const rows = await reader.range<Finding>(account === undefined ? FINDINGS : under('kernel', 'finding', account))
  return rows.map(({ document }) => document)
}

/** Writes the finding of a sighting, or counts the sighting at the finding that there is. */
export async function putFinding<R extends FindingResource>(
  unit: Pick<Unit, 'get' | 'put'>,
  sighting: Sighting<R>,
): Promise<Finding<R>> {
  const { account, region, product, type, severity, title, description, resource, firstMs, lastMs, count } = sighting
  const id = findingId(sighting)
  const before = await unit.get<Finding<R>>(rowOf(account, id))
  const lastSeen = new Date(lastMs).toISOString()
  const createdAt = before?.createdAt ?? new Date(firstMs).toISOString()
  const finding: Finding<R> = {
    schemaVersion: '2.0',
    id,
    accountId: account,
    partition: 'aws',
    region,
    type,
    severity,
    title,
    description,
    resource,
    service: {
      serviceName: product,
      count: (before?.service.count ?? 0) + count,
      eventFirstSeen: before?.service.eventFirstSeen ?? createdAt,
      eventLastSeen: lastSeen,
      archived: before?.service.archived ?? false,
    },
    createdAt,
    updatedAt: lastSeen,
  }
  unit.put(rowOf(account, id), finding)
  return finding
}

/** The IDs of Merlon's own findings were released without the product. */
export const findingId = ({ product, type, resourceId }: FindingIdentity): string =>
  createHash('sha256')
    .update(lengths(...(product === MERLON ? [] : [product]), type, ...resourceId))
    .digest('hex')
    .slice(0, 32)

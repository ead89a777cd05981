/** CloudTrail's resource type, trails, and the keys of the rows that belong to them. */
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import type { AdvancedEventSelector, EventSelector } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import type { Reference } from '../../kernel/resource/resource-type.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { key, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'

export const cloudtrail = defineService<typeof CloudTrail>('cloudtrail')

export type Selectors =
  | { readonly basic: readonly EventSelector[] }
  | { readonly advanced: readonly AdvancedEventSelector[] }

export interface TrailLogGroup {
  /** With `:*` at its end, as AWS shows it. */
  readonly arn: string
  readonly role: string
}

export interface TrailRow {
  readonly name: string
  readonly account: string
  /** Its home Region. */
  readonly region: string
  readonly bucket: string
  readonly prefix?: string
  readonly globalEvents: boolean
  readonly multiRegion: boolean
  readonly logGroup?: TrailLogGroup
  /** Whether hourly digests are signed. */
  readonly validation: boolean
  readonly tags?: Tags
  /** Undefined: all management events. */
  readonly selectors?: Selectors
  readonly logging: boolean
  /** Epoch milliseconds. */
  readonly startedAt?: number
  readonly stoppedAt?: number
}

/** Names the trail of a row or a job. */
export type TrailId = Pick<TrailRow, 'account' | 'region' | 'name'>

export const at = {
  trailsOf: (account: string) => under('cloudtrail', 'trail', account),
  journal: ({ account, region, name }: TrailId) => key('cloudtrail', 'journal', account, region, name),
  digestKey: (account: string, region: string, fingerprint: string) =>
    key('cloudtrail', 'digest-key', account, region, fingerprint),
  digestKeys: (account: string, region: string) => under('cloudtrail', 'digest-key', account, region),
}

/** The fault for a feature that is not implemented. */
export const unbuilt = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })

const badName = (message: string) => cloudtrail.fail('InvalidTrailNameException', message)

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html */
export function requireName(name: string): void {
  if (name.length < 3) throw badName('Trail name too short. Minimum allowed length: 3 characters.')
  if (name.length > 128) throw badName('Trail name too long. Maximum allowed length: 128 characters.')
  if (!/^[A-Za-z0-9]/.test(name)) throw badName('Trail name must start with a letter or number.')
  if (!/[A-Za-z0-9]$/.test(name)) throw badName('Trail name must end with a letter or number.')
  if (!/^[A-Za-z0-9._-]+$/.test(name))
    throw badName(
      'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).',
    )
  if (/[._-]{2}/.test(name)) throw badName('Trail name cannot have two adjacent periods, hyphens or underscores.')
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) throw badName('Trail name cannot look like an IP address.')
}

type TrailReference = Reference<{ readonly TrailName: string }>

const arnInvalid = (text: string) =>
  cloudtrail.fail('CloudTrailARNInvalidException', `The trail ARN is not valid: ${text}`)

export const trailType = cloudtrail.resource({
  kind: 'trail',
  type: 'AWS::CloudTrail::Trail',
  arn: 'arn:${Partition}:cloudtrail:${Region}:${Account}:trail/${TrailName}',
  storedPer: 'region',
  crossRegion: true,
  idOf: ({ name }: TrailRow) => ({ TrailName: name }),
  reference: async (call, text): Promise<TrailReference | undefined> => {
    if (text.startsWith('arn:')) return byArn(call, text)
    requireName(text)
    const id = { TrailName: text }
    const isHere = (await trailType.get(call.unit, call, id)) !== undefined
    const shadow = isHere ? undefined : (await trailsSeen(call)).find(({ name }) => name === text)
    // A denial names the caller's Region, because the home Region would show that the trail exists.
    return { scope: { ...call, region: shadow?.region ?? call.region }, id, requested: trailType.arn(call, id) }
  },
  tags: {
    action: 'cloudtrail:AddTags',
    member: 'TagsList',
    problems: {
      duplicate: () => cloudtrail.fail('InvalidTagParameterException', 'The specified tag keys must be unique.'),
      reserved: () => cloudtrail.fail('InvalidTagParameterException', 'Tag keys that begin with aws: are reserved.'),
      'too-many': () =>
        cloudtrail.fail('TagsLimitExceededException', 'The number of tags per trail has exceeded the limit of 50.'),
    },
  },
  faults: {
    notFound: (arn) =>
      cloudtrail.fail('TrailNotFoundException', `Unknown trail: ${arn} for the user: ${arn.split(':')[4]}`),
    invalidReference: (text) => (text.startsWith('arn:') ? arnInvalid(text) : badName(`Invalid trail name: ${text}`)),
    alreadyExists: (arn, { TrailName }) =>
      cloudtrail.fail(
        'TrailAlreadyExistsException',
        `Trail ${TrailName} already exists for customer: ${arn.split(':')[4]}`,
      ),
  },
})

function byArn(call: Call, text: string): TrailReference | undefined {
  const parsed = trailType.form.parse(text)
  if (parsed?.partition !== call.partition) return undefined
  const scope = { partition: call.partition, region: parsed.region!, account: parsed.account! }
  return { scope, id: parsed.variables }
}

export const trailArn = ({ account, region, name }: TrailId): string =>
  trailType.arn({ partition: 'aws', account, region }, { TrailName: name })

export const trailOf = (reader: Pick<Reader, 'get'>, trail: TrailId): Promise<TrailRow | undefined> =>
  trailType.get(reader, trail, { TrailName: trail.name })

/** The trails of this Region, and those of other home Regions that record it too. */
export async function trailsSeen(call: Call): Promise<readonly TrailRow[]> {
  const all = await call.unit.range<TrailRow>(at.trailsOf(call.account))
  return all.map(({ document }) => document).filter(({ region, multiRegion }) => multiRegion || region === call.region)
}

export const trailNamed = trailType.named('Name')
export const trailSelected = trailType.named('TrailName')

type NamesResource = { readonly ResourceId?: string | undefined }

/** Tagging operations accept ARNs only, and have another fault for a trail that does not exist. */
export const trailTagged: Target<NamesResource, ExistingResource<{ readonly TrailName: string }, TrailRow>> = {
  find: async (call, { ResourceId = '' }) => {
    if (!ResourceId.startsWith('arn:')) throw arnInvalid(ResourceId)
    return {
      ...(await trailType.find(call, ResourceId)),
      missing: () => cloudtrail.fail('ResourceNotFoundException', `The resource ${ResourceId} does not exist.`),
    }
  },
}

/** AWS: a trail can be changed in its home Region only. */
export function requireHome(call: Call, { region, name }: TrailRow): void {
  if (region === call.region) return
  throw cloudtrail.fail(
    'InvalidHomeRegionException',
    `The home Region of trail ${name} is ${region}: this operation must be called there.`,
  )
}

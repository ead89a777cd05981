/** CloudTrail's words: trails, how a request names one, and where what they have delivered is kept. */
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import type { AdvancedEventSelector, EventSelector } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/call.ts'
import type { Found, Tags, Target } from '../../kernel/resource.ts'
import { service } from '../../kernel/service.ts'
import { key, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'

export const cloudtrail = service<typeof CloudTrail>('cloudtrail')

export type Selectors =
  | { readonly basic: readonly EventSelector[] }
  | { readonly advanced: readonly AdvancedEventSelector[] }

export interface TrailRow {
  readonly name: string
  readonly account: string
  /** Its home Region. */
  readonly region: string
  readonly bucket: string
  readonly prefix?: string
  readonly globalEvents: boolean
  readonly multiRegion: boolean
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

type Named = Pick<TrailRow, 'account' | 'region' | 'name'>

export const at = {
  trail: ({ account, region, name }: Named) => key('cloudtrail', 'trail', account, region, name),
  trailsOf: (account: string) => under('cloudtrail', 'trail', account),
  journal: ({ account, region, name }: Named) => key('cloudtrail', 'journal', account, region, name),
  digestKey: (account: string, region: string, fingerprint: string) =>
    key('cloudtrail', 'digest-key', account, region, fingerprint),
  digestKeys: (account: string, region: string) => under('cloudtrail', 'digest-key', account, region),
}

export const trailArn = ({ account, region, name }: Named): string =>
  `arn:aws:cloudtrail:${region}:${account}:trail/${name}`

/** What is not built is refused by its name, whatever operation asks for it. */
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

const ARN = /^arn:aws:cloudtrail:([a-z0-9-]+):(\d{12}):trail\/(.+)$/

/** Throws where the reference is neither a name nor the ARN of a trail. */
export function parseReference(call: Call, reference: string): Named {
  if (!reference.startsWith('arn:')) {
    requireName(reference)
    return { account: call.account, region: call.region, name: reference }
  }
  const [, region, account, name] = ARN.exec(reference) ?? []
  if (!region || !account || !name)
    throw cloudtrail.fail('CloudTrailARNInvalidException', `The trail ARN is not valid: ${reference}`)
  return { account, region, name }
}

/** In the account's home Region of it, or as the shadow of a multi-Region trail. */
export async function trailOf(call: Call, reference: string): Promise<TrailRow | undefined> {
  const named = parseReference(call, reference)
  if (named.account !== call.account) return undefined
  const here = await call.unit.get<TrailRow>(at.trail(named))
  if (here || reference.startsWith('arn:')) return here
  return (await trailsSeen(call)).find(({ name }) => name === reference)
}

/** The trails of this Region, and those of others that record it too. */
export async function trailsSeen(call: Call): Promise<readonly TrailRow[]> {
  const all = await call.unit.range<TrailRow>(at.trailsOf(call.account))
  return all.map(({ document }) => document).filter(({ region, multiRegion }) => multiRegion || region === call.region)
}

async function found(call: Call, reference: string): Promise<Found<TrailRow>> {
  const row = await trailOf(call, reference)
  const named = row ?? parseReference(call, reference)
  const arn = trailArn(named)
  return {
    acted: { arn, type: 'AWS::CloudTrail::Trail', account: named.account, tags: row?.tags },
    row,
    missing: () => cloudtrail.fail('TrailNotFoundException', `Unknown trail: ${arn} for the user: ${call.account}`),
  }
}

export const trailNamed: Target<{ readonly Name?: string | undefined }, TrailRow> = {
  find: (call, { Name }) => found(call, Name ?? ''),
}

export const trailSelected: Target<{ readonly TrailName?: string | undefined }, TrailRow> = {
  find: (call, { TrailName }) => found(call, TrailName ?? ''),
}

/** Tags go by ARNs alone. */
export const trailTagged: Target<{ readonly ResourceId?: string | undefined }, TrailRow> = {
  find: async (call, { ResourceId = '' }) => {
    if (!ResourceId.startsWith('arn:'))
      throw cloudtrail.fail('CloudTrailARNInvalidException', `The trail ARN is not valid: ${ResourceId}`)
    const it = await found(call, ResourceId)
    return {
      ...it,
      missing: () => cloudtrail.fail('ResourceNotFoundException', `The resource ${ResourceId} does not exist.`),
    }
  },
}

/** AWS: a trail is changed where its home is. */
export function requireHome(call: Call, { region, name }: TrailRow): void {
  if (region === call.region) return
  throw cloudtrail.fail(
    'InvalidHomeRegionException',
    `The home Region of trail ${name} is ${region}: this operation must be called there.`,
  )
}

/** `merlon secret rotation-status`: which secrets rotate, which are late, and why. */
import { ApiError, type Client } from '../../kernel/client/client.ts'
import { clientFor, clientOptions } from '../client.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  json: { type: 'boolean', about: 'for programs' },
  ...clientOptions,
} as const

/** Members of `SecretListEntry`; times in epoch seconds. */
interface Listed {
  readonly ARN: string
  readonly Name: string
  readonly RotationEnabled?: boolean
  readonly LastRotatedDate?: number
  readonly NextRotationDate?: number
  readonly SecretVersionsToStages?: Readonly<Record<string, readonly string[]>>
}

interface Status {
  readonly name: string
  readonly arn: string
  readonly state: 'ok' | 'rotating' | 'failed' | 'late'
  /** ISO 8601; absent before the first rotation. */
  readonly last?: string
  readonly next?: string
  /** Of the last attempt, when it failed. Absent, too, when the caller may not read the audit log. */
  readonly error?: string
}

/** Members of an event of the audit log. */
interface RotationEvent {
  readonly eventTime: string
  readonly eventName: string
  readonly errorMessage?: string
  readonly resources?: readonly { readonly ARN: string }[]
}

/** Of two in the same second the later of this list came later. */
const EVENTS = ['RotationStarted', 'RotationFailed', 'RotationAbandoned', 'RotationSucceeded']
const PAGE = 50
/** `rotation-status` does not go back further than this. */
const PAGES_MAX = 20

export const rotationStatusCommand: SubCommand = {
  name: 'rotation-status',
  about: 'Lists the secrets that rotate. Exit status 1 when the last attempt of one failed, or one is late.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const client = clientFor(given)
    const events = await lastRotations(client)
    const statuses: Status[] = []
    for await (const secret of rotating(client)) statuses.push(statusOf(secret, events.get(secret.ARN)))
    process.stdout.write(
      given.json ? `${JSON.stringify(statuses)}\n` : statuses.map((each) => `${line(each)}\n`).join(''),
    )
    return statuses.some(({ state }) => state === 'failed' || state === 'late') ? 1 : 0
  },
}

async function* rotating(client: Client): AsyncGenerator<Listed> {
  for (let NextToken: string | undefined, more = true; more; more = NextToken !== undefined) {
    const page = await client.json<{ SecretList: readonly Listed[]; NextToken?: string }>(
      'secretsmanager',
      'secretsmanager.ListSecrets',
      { MaxResults: 100, ...(NextToken !== undefined && { NextToken }) },
    )
    for (const secret of page.SecretList) if (secret.RotationEnabled) yield secret
    NextToken = page.NextToken
  }
}

/** What the audit log has of each secret's last rotation; nothing for callers that may not read it. */
async function lastRotations(client: Client): Promise<ReadonlyMap<string, RotationEvent>> {
  const last = new Map<string, RotationEvent>()
  try {
    for (const name of EVENTS) {
      for await (const event of eventsOf(client, name)) {
        const arn = event.resources?.[0]?.ARN ?? ''
        if (event.eventTime >= (last.get(arn)?.eventTime ?? '')) last.set(arn, event)
      }
    }
  } catch (error) {
    if (!(error instanceof ApiError && /^AccessDenied/.test(error.code))) throw error
  }
  return last
}

async function* eventsOf(client: Client, AttributeValue: string): AsyncGenerator<RotationEvent> {
  let NextToken: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await client.json<{
      Events?: readonly { readonly CloudTrailEvent: string }[]
      NextToken?: string
    }>('cloudtrail', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents', {
      LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue }],
      MaxResults: PAGE,
      ...(NextToken !== undefined && { NextToken }),
    })
    yield* (answer.Events ?? []).map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent) as RotationEvent)
    NextToken = answer.NextToken
    if (NextToken === undefined) return
  }
}

function statusOf({ Name, ARN, LastRotatedDate, NextRotationDate }: Listed, event: RotationEvent | undefined): Status {
  return {
    name: Name,
    arn: ARN,
    state: stateOf(NextRotationDate, event),
    ...(LastRotatedDate !== undefined && { last: iso(LastRotatedDate) }),
    ...(NextRotationDate !== undefined && { next: iso(NextRotationDate) }),
    ...(event?.errorMessage !== undefined && { error: event.errorMessage }),
  }
}

function stateOf(next: number | undefined, event: RotationEvent | undefined): Status['state'] {
  if (event?.errorMessage !== undefined) return 'failed'
  if (event?.eventName === 'RotationStarted') return 'rotating'
  return next !== undefined && next * 1_000 < Date.now() ? 'late' : 'ok'
}

const iso = (seconds: number): string => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`

const line = ({ name, state, last, next, error }: Status): string =>
  [name, state, `last ${last ?? 'never'}`, `next ${next ?? 'never'}`, error].filter(Boolean).join('  ')

/** `merlon audit tail`: events as they happen, or the last ones, one a line. */
import type { Client } from '../../kernel/client/client.ts'
import { clientFor, clientOptions } from '../client.ts'
import { UsageError } from '../command.ts'
import { plain } from '../plain.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  principal: { type: 'string', value: 'ARN|NAME', about: 'only the calls of this user, role or session' },
  denied: { type: 'boolean', about: 'only what was refused for want of permission' },
  failed: { type: 'boolean', about: 'only what was refused, for whatever reason' },
  event: { type: 'string', value: 'NAME', about: 'only this operation' },
  service: { type: 'string', value: 'NAME', about: 'only this service: kms' },
  follow: { type: 'boolean', about: 'go on with what happens next, until stopped' },
  lines: { type: 'string', value: 'N', about: 'how many of the past to begin with (default 20)' },
  json: { type: 'boolean', about: 'whole events, one a line' },
  ...clientOptions,
} as const

type Given = ReturnType<typeof parseSubcommand<typeof options>>['given']

/** The members of CloudTrail's record that a line shows. */
interface Event {
  readonly eventID: string
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly sourceIPAddress?: string
  readonly userIdentity: {
    readonly type?: string
    readonly arn?: string
    readonly userName?: string
    readonly accessKeyId?: string
    readonly invokedBy?: string
    readonly sessionContext?: { readonly sessionIssuer?: { readonly arn?: string } }
  }
  readonly resources?: readonly { readonly ARN?: string }[]
}

const POLL_MS = 1_000
const PAGE = 50
/** `tail` does not go back further than this. */
const PAGES_MAX = 200
const DENIED = /AccessDenied|UnauthorizedOperation|AuthorizationError/

export const tailCommand: SubCommand = {
  name: 'tail',
  about: 'Shows the last events of the account in the Region, oldest first.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const lines = Number(given.lines ?? 20)
    if (!Number.isInteger(lines) || lines < 0) throw new UsageError('--lines is a whole number.')
    const client = clientFor(given)
    const show = (event: Event) => process.stdout.write(given.json ? `${JSON.stringify(event)}\n` : `${line(event)}\n`)

    const seen = new Set<string>()
    for (const event of await back(client, given, lines, seen)) show(event)
    while (given.follow) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      for (const event of await since(client, given, seen)) if (!isOurs(event, client, given)) show(event)
    }
    return 0
  },
}

/** The newest that fit, oldest first. One page is read though none is wanted: what follows begins behind it. */
async function back(client: Client, given: Given, most: number, seen: Set<string>): Promise<readonly Event[]> {
  const found: Event[] = []
  for await (const { fresh } of pages(client, given, seen)) {
    found.push(...fresh.filter((event) => fits(event, given)).slice(0, most - found.length))
    if (found.length >= most) break
  }
  return found.reverse()
}

/** What fits and was not seen, oldest first: up to the first page that holds anything seen. */
async function since(client: Client, given: Given, seen: Set<string>): Promise<readonly Event[]> {
  const found: Event[] = []
  const none = seen.size === 0
  for await (const { fresh, known } of pages(client, given, seen)) {
    found.push(...fresh.filter((event) => fits(event, given)))
    if (known && !none) break
  }
  return found.reverse()
}

async function* pages(client: Client, given: Given, seen: Set<string>) {
  let NextToken: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await client.json<{ Events?: { CloudTrailEvent: string }[]; NextToken?: string }>(
      'cloudtrail',
      'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
      { MaxResults: PAGE, ...(NextToken && { NextToken }), ...searched(given) },
    )
    const events = (answer.Events ?? []).map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent) as Event)
    const fresh = events.filter(({ eventID }) => !seen.has(eventID))
    for (const { eventID } of fresh) seen.add(eventID)
    yield { fresh, known: fresh.length < events.length }
    NextToken = answer.NextToken
    if (!NextToken) return
  }
}

/** Following the log calls LookupEvents once a second, which is recorded: these events are shown only on request. */
const isOurs = ({ eventName, userIdentity }: Event, client: Client, { event }: Given): boolean =>
  event === undefined && eventName === 'LookupEvents' && userIdentity.accessKeyId === client.accessKeyId

/** The server looks for one attribute; the rest is sifted here. */
function searched({ event, service, principal }: Given): object {
  const by = (AttributeKey: string, AttributeValue: string) => ({
    LookupAttributes: [{ AttributeKey, AttributeValue }],
  })
  if (principal !== undefined && !principal.startsWith('arn:')) return by('Username', principal)
  if (event !== undefined) return by('EventName', event)
  if (service !== undefined) return by('EventSource', source(service))
  return {}
}

const source = (service: string): string => (service.includes('.') ? service : `${service}.amazonaws.com`)

function fits(event: Event, { principal, denied, failed, event: name, service }: Given): boolean {
  const { userIdentity: who, errorCode } = event
  if (denied && !DENIED.test(errorCode ?? '')) return false
  if (failed && errorCode === undefined) return false
  if (name !== undefined && event.eventName !== name) return false
  if (service !== undefined && event.eventSource !== source(service)) return false
  if (!principal?.startsWith('arn:')) return true
  return who.arn === principal || who.sessionContext?.sessionIssuer?.arn === principal
}

function line(event: Event): string {
  const { eventTime, eventSource, eventName, errorCode, errorMessage, userIdentity, resources = [], eventID } = event
  const who = userIdentity.arn ?? userIdentity.userName ?? userIdentity.invokedBy ?? userIdentity.type ?? 'nobody'
  const what = `${eventSource.replace('.amazonaws.com', '')}:${eventName}`
  const on = resources.map(({ ARN }) => ARN).join(' ')
  const outcome = errorCode === undefined ? 'ok' : `${errorCode}: ${errorMessage ?? ''}`
  return plain([eventTime, what, who, on, outcome, eventID].filter(Boolean).join('  '))
}

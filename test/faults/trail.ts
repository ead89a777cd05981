/** The audit log against the histories: one event for each change that was acknowledged, none without a request. */
import type { Operation } from './history.ts'
import { KINDS } from './kinds.ts'

export interface TrailEvent {
  readonly eventID: string
  readonly eventName: string
  readonly requestID?: string
  readonly errorCode?: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly serviceEventDetails?: { readonly keyId: string }
}

/** A page of the audit log, newest first. */
export type Page = (token: string | undefined) => Promise<{ Events: { CloudTrailEvent: string }[]; NextToken?: string }>

export async function wholeTrail(page: Page): Promise<TrailEvent[]> {
  const all: TrailEvent[] = []
  let token: string | undefined
  do {
    const { Events, NextToken } = await page(token)
    all.push(...Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent) as TrailEvent))
    token = NextToken
  } while (token)
  return all
}

/** Each as a sentence; empty when the audit log and the histories agree. */
export function disagreements(operations: readonly Operation[], trail: readonly TrailEvent[]): string[] {
  const wrong: string[] = []
  const twice = trail.length - new Set(trail.map(({ eventID }) => eventID)).size
  if (twice > 0) wrong.push(`${twice} events are on the trail twice`)

  const done = trail.filter(({ errorCode }) => !errorCode)
  const answered = new Map(done.flatMap(({ requestID, eventName }) => (requestID ? [[requestID, eventName]] : [])))
  for (const { action, outcome, requestId, register, value } of operations) {
    if (outcome === 'done' && action !== 'read' && !answered.has(requestId!))
      wrong.push(`${action} of ${register} (${value ?? ''}) was acknowledged as ${requestId}, and has no event`)
  }

  const asked = new Map(operations.flatMap((each) => (each.value === undefined ? [] : [[each.value, each] as const])))
  const told = new Set<unknown>()
  const values = Object.assign({}, ...KINDS.map(({ events }) => events)) as (typeof KINDS)[number]['events']
  for (const { eventName, requestParameters } of done) {
    const value = values[eventName]?.(requestParameters ?? {})
    if (value === undefined) continue
    const operation = asked.get(String(value))
    if (!operation) wrong.push(`${eventName} of ${value} is in the audit log, and was not requested`)
    else if (operation.outcome === 'exists' || operation.outcome === 'missing')
      wrong.push(`${eventName} of ${value} is on the trail as done, and was refused (${operation.outcome})`)
    if (told.has(value)) wrong.push(`${eventName} of ${value} is on the trail more than once`)
    told.add(value)
  }
  return wrong
}

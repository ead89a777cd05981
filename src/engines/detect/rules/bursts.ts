/** Many different targets of one tactic in a short time: secrets read one after the other, an account enumerated. */
import type { Tactic } from '../api-classes.ts'
import { textOf } from '../normalize/json.ts'
import type { State } from '../state.ts'
import type { ApiEvent, Unusual } from '../types.ts'

interface Window {
  from: number
  targets: string[]
  ids: string[]
  /** The most different targets in a window so far, which fades by a tenth with each window. */
  usual: number
}

const WINDOW_MS = 10 * 60_000
const TARGETS_MAX = 64
const IDS_MAX = 100
/** A full one has 15 KB. */
const WINDOWS_MAX = 5_000
/** Of each tactic that has targets to go through: from how many different ones on it is a burst. */
const TARGETS_MIN: Readonly<Partial<Record<Tactic, number>>> = { CredentialAccess: 6, Discovery: 12, Exfiltration: 20 }
const TIMES_USUAL = 4

export interface Burst {
  readonly unusual: Unusual
  readonly eventIds: readonly string[]
  readonly firstSeen: number
}

const PARAMETERS = ['secretId', 'name', 'names', 'instanceId', 'bucketName', 'userName', 'roleName', 'key', 'filters']

/** Of an enumeration, each API with its target; of a list of names, each name. */
function targetsOf({ action, request }: ApiEvent): readonly string[] {
  const parameter = PARAMETERS.find((name) => request[name] !== undefined)
  const value = parameter === undefined ? '' : request[parameter]
  if (Array.isArray(value)) return value.slice(0, TARGETS_MAX).map((each) => `${action} ${textOf(each, 80)}`)
  return [`${action} ${typeof value === 'string' ? textOf(value, 80) : JSON.stringify(value).slice(0, 80)}`]
}

/** `session`: the caller with its network and client. */
export function burstOf(state: State): (event: ApiEvent, session: string, tactic: Tactic) => Burst | undefined {
  const windows = state.table<Window>('bursts', Math.min(state.limits.entries, WINDOWS_MAX))
  return (event, session, tactic) => {
    const least = TARGETS_MIN[tactic]
    if (least === undefined) return undefined
    const key = `${session} ${tactic}`
    let window = windows.get(key)
    if (!window || event.time - window.from >= WINDOW_MS) {
      const usual = window ? Math.max(window.targets.length, window.usual * 0.9) : 0
      window = { from: event.time, targets: [], ids: [], usual }
    }
    for (const target of targetsOf(event))
      if (!window.targets.includes(target) && window.targets.length < TARGETS_MAX) window.targets.push(target)
    if (window.ids.length < IDS_MAX) window.ids.push(event.id)
    windows.put(key, window)
    const count = window.targets.length
    if (count < Math.max(least, TIMES_USUAL * window.usual)) return undefined
    return {
      unusual: {
        dimension: 'volume',
        observed: `${count} targets in ${WINDOW_MS / 60_000} minutes`,
        expected: [`${Math.round(window.usual)} targets`],
        surpriseBits: Math.round(Math.log2(count / Math.max(window.usual, 1)) * 10) / 10,
        scope: 'principal',
      },
      eventIds: window.ids,
      firstSeen: window.from,
    }
  }
}

/**
 * Calls that are sensitive, and unusual for the principal, its role, its account and the organization at once. How many unusual
 * dimensions it takes depends on the call: the less harm it can do, the more.
 */
import { classOf, objectTactic, type Sensitivity, type Tactic } from '../api-classes.ts'
import {
  ageOf,
  BASELINE_CODEC,
  type Baseline,
  DIMENSIONS,
  type Dimension,
  isMature,
  learn,
  newBaseline,
  type Observed,
  type ScopedBaseline,
  surprise,
} from '../baseline.ts'
import { actorKey } from '../finding.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import { assess } from '../sensitive.ts'
import type { Table } from '../state.ts'
import type { ApiEvent, Unusual } from '../types.ts'
import { HOUR_AGE_MS, observe, priorOf } from './behavior.ts'
import { burstOf } from './bursts.ts'
import { ownership } from './ownership.ts'

const DAY_MS = 86_400_000
const LEARNING_MS = 14 * DAY_MS
/** What a session does after an anomaly is not learned for this long, so that it cannot make itself usual. */
const QUARANTINE_MS = 7 * DAY_MS
/** A value is unusual from one in about 90 events on. */
const UNUSUAL_BITS = 6.5
const DIMENSIONS_MIN: Readonly<Record<Sensitivity, number>> = { 1: 4, 2: 3, 3: 2 }
/** Where an account has no history yet, what is unusual follows from priors alone: without more in the request, weaker evidence. */
const DIMENSIONS_WITHOUT_HISTORY_MIN = 3

/** Reading and writing objects is what S3 is for: an anomaly takes three unusual dimensions. */
const OBJECT_SENSITIVITY: Sensitivity = 2

const OBJECT_TYPES: Readonly<Record<string, string>> = {
  DeleteObject: 'Impact:S3/AnomalousBehavior.Delete',
  DeleteObjects: 'Impact:S3/AnomalousBehavior.Delete',
  PutObjectAcl: 'Impact:S3/AnomalousBehavior.Permission',
  PutObject: 'Impact:S3/AnomalousBehavior.Write',
}

interface Assessment {
  readonly type: string
  readonly tactic: Tactic
  readonly sensitivity: Sensitivity
  readonly indicator?: string
}

export const anomalousBehavior: RuleFactory = ({ state, lookups }): Rule => {
  const { configuration } = lookups
  const baselines = state.table<Baseline>('baseline', state.limits.baselines, BASELINE_CODEC)
  const wide = state.table<Baseline>('wide-baseline', 10_000, BASELINE_CODEC)
  const quarantine = state.table<number>('quarantine')
  const bursts = burstOf(state)
  const owns = ownership(state)
  const learningMs = configuration.learningMs ?? LEARNING_MS

  return {
    name: 'anomalous-behavior',
    types: [
      ...[
        'CredentialAccess',
        'DefenseEvasion',
        'Discovery',
        'Exfiltration',
        'Impact',
        'InitialAccess',
        'Persistence',
      ].map((tactic) => `${tactic}:IAMUser/AnomalousBehavior`),
      'PrivilegeEscalation:IAMUser/AnomalousBehavior',
      'Discovery:S3/AnomalousBehavior',
      'Exfiltration:S3/AnomalousBehavior',
      ...new Set(Object.values(OBJECT_TYPES)),
    ],
    source: 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html',
    api: (event, isLearning) => {
      if (isService(event)) return NONE
      const observed = observe(event, lookups)
      const account = wide.get(event.account)
      const isYoung = !account || ageOf(account, event.time) < learningMs
      const session = `${event.account} ${actorKey(event)} ${observed.network} ${observed.userAgent}`
      const isOwn = owns(event, session)
      const detection = isLearning || isOwn ? undefined : judge(event, observed, session, isYoung && learningMs > 0)
      if (detection) quarantine.put(session, event.time + QUARANTINE_MS)
      if (!detection && (quarantine.get(session) ?? 0) <= event.time) learnFrom(event, observed, isLearning)
      return detection ? [detection] : NONE
    },
  }

  function scopesOf(event: ApiEvent): readonly ScopedBaseline[] {
    const key = `${event.account} ${actorKey(event)}`
    const person = personOf(event)
    return [
      ...(person === undefined ? [] : [{ scope: 'principal', baseline: baselines.get(`${key} ${person}`) } as const]),
      { scope: event.principal.issuer ? 'role' : 'principal', baseline: baselines.get(key) },
      { scope: 'account', baseline: wide.get(event.account) },
      { scope: 'organization', baseline: wide.get('*') },
    ]
  }

  function learnFrom(event: ApiEvent, observed: Observed, isKnownGood: boolean): void {
    const key = `${event.account} ${actorKey(event)}`
    const person = personOf(event)
    if (person !== undefined) learnInto(baselines, `${key} ${person}`, observed, event.time, false)
    learnInto(baselines, key, observed, event.time, false)
    learnInto(wide, event.account, observed, event.time, true)
    // What is done in an account of a few hours is no custom of the organization.
    if (isKnownGood || isMature(wide.get(event.account), event.time)) learnInto(wide, '*', observed, event.time, true)
  }

  function judge(event: ApiEvent, observed: Observed, session: string, isYoung: boolean): Detection | undefined {
    const assessed = assessmentOf(event)
    if (!assessed) return undefined
    const burst = bursts(event, session, assessed.tactic)
    if (isYoung) return undefined
    const scopes = scopesOf(event)
    const [narrowest] = scopes.filter(({ baseline }) => baseline !== undefined)
    const hasWeek = narrowest !== undefined && ageOf(narrowest.baseline!, event.time) >= HOUR_AGE_MS
    const unusual = DIMENSIONS.flatMap((dimension) => {
      const value = observed[dimension]
      if (value === undefined || (dimension === 'hour' && !hasWeek)) return []
      const found = surprise(dimension, value, priorOf(dimension, value), scopes, event.time)
      return found.surpriseBits >= UNUSUAL_BITS ? [found] : []
    })
    const all = burst ? [...unusual, burst.unusual] : unusual
    const isEnough = assessed.indicator !== undefined || isMature(wide.get(event.account), event.time)
    const least = Math.max(DIMENSIONS_MIN[assessed.sensitivity], isEnough ? 0 : DIMENSIONS_WITHOUT_HISTORY_MIN)
    if (all.length < least || !isTelling(all)) return undefined
    return {
      type: assessed.type,
      detail: `${assessed.indicator ? `${assessed.indicator}, and ` : ''}is unusual in ${all.map(describe).join(', ')}`,
      unusual: all,
      ...(burst && { eventIds: burst.eventIds, firstSeen: burst.firstSeen }),
      additionalInfo: { ...(assessed.indicator && { indicator: assessed.indicator }), dimensions: all.length },
    }
  }

  function assessmentOf(event: ApiEvent): Assessment | undefined {
    if (event.source === 's3') {
      const tactic = objectTactic(event.action)
      if (!tactic) return undefined
      const type = Object.hasOwn(OBJECT_TYPES, event.action)
        ? OBJECT_TYPES[event.action]!
        : `${tactic === 'Impact' ? 'Exfiltration' : tactic}:S3/AnomalousBehavior`
      return { type, tactic, sensitivity: OBJECT_SENSITIVITY }
    }
    const isSignIn = event.action === 'ConsoleLogin'
    if (isSignIn && event.response.ConsoleLogin !== 'Success') return undefined
    const api = classOf(event.service, event.action)
    return (
      api && {
        type: `${api.tactic}:IAMUser/AnomalousBehavior`,
        tactic: api.tactic,
        ...assess(event, api, configuration.publicAccess),
      }
    )
  }
}

/** What AWS services do for a principal is not its behavior. */
const isService = ({ principal }: ApiEvent): boolean =>
  principal.invokedBy !== undefined || principal.type === 'AWSService' || principal.type === 'Unknown'

/** A role that people share, with their names as session names, has a baseline for each of them. */
function personOf({ principal }: ApiEvent): string | undefined {
  const at = principal.id.indexOf(':')
  const name = principal.id.slice(at + 1)
  const isPerson = at > 0 && (name.includes('@') || principal.issuer?.userName.startsWith('AWSReservedSSO_'))
  return isPerson ? name : undefined
}

function learnInto(table: Table<Baseline>, key: string, observed: Observed, time: number, isWide: boolean): void {
  const baseline = table.get(key) ?? newBaseline(time)
  learn(baseline, observed, time, isWide)
  table.put(key, baseline)
}

/** The call itself is unusual, or made in an unusual way: not only its hour and target. */
const TELLING: ReadonlySet<string> = new Set<Dimension | 'volume'>([
  'action',
  'tactic',
  'network',
  'country',
  'userAgent',
  'volume',
])
const isTelling = (unusual: readonly Unusual[]): boolean => unusual.some(({ dimension }) => TELLING.has(dimension))

const NAMES: Readonly<Record<string, string>> = { userAgent: 'user agent', errors: 'refused calls', action: 'API' }
const describe = ({ dimension, observed }: Unusual): string => `${NAMES[dimension] ?? dimension} (${observed})`

/** Findings of one actor within a day that follow the course of an attack: at least three tactics. */
import type { Tactic } from '../api-classes.ts'
import { actorKey, isApi } from '../finding.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { DetectedFinding } from '../types.ts'

const SOURCE = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-attack-sequence-finding-types.html'
const DAY_MS = 86_400_000
const TACTICS_MIN = 3
/** Of these, with a finding of medium severity or higher: three weak signals are no attack. */
const MEDIUM_TACTICS_MIN = 2
const MEDIUM = 4
const SIGNALS_MAX = 40
const IDS_MAX = 100

interface Signal {
  readonly id: string
  readonly type: string
  readonly tactic: string
  readonly time: number
  readonly event: string
  readonly isData: boolean
  readonly severity: number
}

/** The tactic that a type's purpose stands for. Types that are no step of an attack are left out. */
const PURPOSES: Readonly<Record<string, Tactic | undefined>> = {
  CredentialAccess: 'CredentialAccess',
  DefenseEvasion: 'DefenseEvasion',
  Discovery: 'Discovery',
  Exfiltration: 'Exfiltration',
  Impact: 'Impact',
  InitialAccess: 'InitialAccess',
  Persistence: 'Persistence',
  PrivilegeEscalation: 'PrivilegeEscalation',
  Recon: 'Discovery',
  Stealth: 'DefenseEvasion',
  UnauthorizedAccess: 'InitialAccess',
  PenTest: 'InitialAccess',
}

const tacticOf = (type: string): string | undefined =>
  type.startsWith('Policy:S3/') ? 'Exfiltration' : PURPOSES[type.slice(0, type.indexOf(':'))]

export const attackSequence: RuleFactory = ({ state }): Rule => {
  const signals = state.table<Signal[]>('attack-signals')
  return {
    name: 'attack-sequence',
    types: ['AttackSequence:IAM/CompromisedCredentials', 'AttackSequence:S3/CompromisedData'],
    source: SOURCE,
    afterwards: (event, findings) => {
      if (!isApi(event)) return NONE
      const key = `${event.account} ${actorKey(event)}`
      const before = (signals.get(key) ?? []).filter(({ time }) => event.time - time < DAY_MS)
      const added = findings.flatMap((finding) => signalOf(finding, event.id))
      if (added.length === 0) return NONE
      const all = [...before, ...added].slice(-SIGNALS_MAX)
      signals.put(key, all)
      const tactics = tacticsOf(all)
      if (tacticsOf(all.filter(({ severity }) => severity >= MEDIUM)).length < MEDIUM_TACTICS_MIN) return NONE
      // Again with each new step, so that its events are part of the finding.
      if (tactics.length < TACTICS_MIN || tactics.length === tacticsOf(before).length) return NONE
      const isData = all.some((each) => each.isData) && tactics.includes('Exfiltration')
      return [sequence(isData ? 'S3/CompromisedData' : 'IAM/CompromisedCredentials', all, tactics)]
    },
  }
}

function signalOf(finding: DetectedFinding, event: string): readonly Signal[] {
  const tactic = tacticOf(finding.type)
  if (tactic === undefined) return []
  const isData = finding.feature === 'S3DataEvents' || finding.type.startsWith('Policy:S3/')
  return [
    { id: finding.id, type: finding.type, tactic, time: finding.lastSeen, event, isData, severity: finding.severity },
  ]
}

const tacticsOf = (signals: readonly Signal[]): readonly string[] => [...new Set(signals.map(({ tactic }) => tactic))]

const sequence = (name: string, signals: readonly Signal[], tactics: readonly string[]): Detection => ({
  type: `AttackSequence:${name}`,
  detail: tactics.join(', '),
  eventIds: [...new Set(signals.map(({ event }) => event))].slice(-IDS_MAX),
  firstSeen: Math.min(...signals.map(({ time }) => time)),
  signals: [...new Set(signals.map(({ id }) => id))],
  additionalInfo: { tactics, findingTypes: [...new Set(signals.map(({ type }) => type))] },
})

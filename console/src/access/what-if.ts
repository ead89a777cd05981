/** Recorded calls evaluated again under a policy that is not in force yet. */
import { recordedCall } from '../../../src/policy/account/recorded-call.ts'
import { type Replayed, replayCalls } from '../../../src/policy/account/replay-calls.ts'
import type { CompiledPolicy, PolicyKind } from '../../../src/policy/index.ts'
import type { Client } from '../api/client.ts'
import { loadEvents } from '../pages/cloudtrail/load-events.ts'
import { accountOf, compile, fetchDetails } from './account.ts'
import { compiledLevels, type Level, loadLevels } from './organization.ts'

export type Change =
  /** Another document for a managed policy. */
  | { readonly kind: 'policy'; readonly arn: string; readonly text: string }
  /** A service control policy: another document where it is attached, or attached to one more target. */
  | {
      readonly kind: 'scp'
      readonly id: string | undefined
      readonly text: string
      readonly target: string | undefined
    }

export interface WhatIfAnswer extends Replayed {
  readonly calls: number
}

/** The newest calls of one Region that are evaluated again. */
export const REPLAYED_MAX = 1_000

/** `member`: calls as the account whose calls are evaluated. `management`: reads the organization. */
export async function whatIf(
  member: Client,
  management: Client,
  account: string,
  change: Change,
): Promise<WhatIfAnswer> {
  const [details, events, levels] = await Promise.all([
    fetchDetails(member),
    loadEvents(member, {}, REPLAYED_MAX),
    loadLevels(management, account, 'SERVICE_CONTROL_POLICY'),
  ])
  const before = accountOf(details)
  const calls = events.map(recordedCall)
  if (change.kind === 'policy') {
    const after = accountOf(details, new Map([[change.arn, change.text]]))
    const scps = compiledLevels(levels)
    return { ...replayCalls(calls, { account: before, scps }, { account: after, scps }), calls: calls.length }
  }
  const scpsBefore = compiledLevels(levels) ?? [[ALLOW_ALL]]
  const scps = changed(levels, change)
  return {
    ...replayCalls(calls, { account: before, scps: scpsBefore }, { account: before, scps }),
    calls: calls.length,
  }
}

type ControlChange = Extract<Change, { readonly kind: 'scp' }>

/** An account that the policy does not reach is evaluated as if it were attached there. */
function changed(
  levels: readonly Level[] | undefined,
  { id, text, target }: ControlChange,
): readonly (readonly CompiledPolicy[])[] {
  const policy = compile(text, 'scp' satisfies PolicyKind, 'the changed policy')
  const isReached = levels?.some((level) => level.id === target || level.policies.some((each) => each.id === id))
  if (!levels || !isReached) return [...(compiledLevels(levels) ?? []), [ALLOW_ALL, policy]]
  return levels.map((level) => {
    const kept = level.policies.map((each) => (each.id === id ? policy : each.compiled))
    return level.id === target && !level.policies.some((each) => each.id === id) ? [...kept, policy] : kept
  })
}

const ALLOW_ALL = compile(
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
  'scp',
  'FullAWSAccess',
)

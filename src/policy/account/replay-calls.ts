/** Recorded calls evaluated again under changed policies. */
import { missingKeys } from './access-text.ts'
import type { Account, Identity } from './identity.ts'
import { accountIn } from './principal-context.ts'
import { type Around, reachOf } from './reach-of.ts'
import type { RecordedCall } from './recorded-call.ts'

export type ReplayOutcome = 'allowed' | 'denied' | 'open'

export interface Flip {
  readonly call: RecordedCall
  readonly resource: string
  readonly becomes: ReplayOutcome
  readonly missing: readonly string[]
}

/** An account and the control policies over it, before or after a change. */
export interface PolicyState {
  readonly account: Account
  readonly scps: Around['scps']
}

export interface Replayed {
  readonly flips: readonly Flip[]
  /** Calls of principals that the account does not hold: services, root, other accounts, deleted principals. */
  readonly strangers: number
  /** Calls whose record the policies as they were do not explain: a resource policy or a key is not known. */
  readonly unexplained: number
}

/** The calls that changed policies would decide otherwise. */
export function replayCalls(calls: readonly RecordedCall[], before: PolicyState, after: PolicyState): Replayed {
  const flips: Flip[] = []
  let strangers = 0
  let unexplained = 0
  const names = (world: PolicyState) => new Map(world.account.identities.map((identity) => [identity.arn, identity]))
  const [known, changed] = [names(before), names(after)]
  for (const call of calls) {
    const identity = known.get(call.principal ?? '')
    const then = changed.get(call.principal ?? '')
    if (!identity || !then) {
      strangers++
      continue
    }
    for (const resource of call.resources) {
      const was = verdict(call, resource, identity, before)
      const becomes = verdict(call, resource, then, after)
      if (was.verdict === becomes.verdict && was.missing.join() === becomes.missing.join()) continue
      const recorded = call.allowed ? 'allowed' : 'denied'
      if (becomes.verdict === recorded) continue
      if (was.verdict !== 'open' && was.verdict !== recorded) unexplained++
      else flips.push({ call, resource, becomes: becomes.verdict, missing: becomes.missing })
    }
  }
  return { flips, strangers, unexplained }
}

function verdict(call: RecordedCall, resource: string, identity: Identity, { account, scps }: PolicyState) {
  const around: Around = { scps, rcps: undefined, context: call.context, without: [] }
  const accesses = reachOf(identity, around, accountIn(resource) ?? account.id).of(call.action, resource)
  const verdict: ReplayOutcome = accesses.some(({ certain }) => certain)
    ? 'allowed'
    : accesses.length > 0
      ? 'open'
      : 'denied'
  return { verdict, missing: verdict === 'open' ? missingKeys(accesses) : [] }
}

/** `merlon policy what-if`: recorded calls decided again under changed policies. */
import { UsageError } from '../command.ts'
import { readWords, required, type SubCommand } from '../words.ts'
import { type Account, type Identity, readAccount } from './account.ts'
import { missingKeys } from './conditions.ts'
import { readText } from './files.ts'
import { type Around, levelsOf, reachOf } from './identities.ts'
import { accountIn } from './principal.ts'
import { type RecordedCall, readRecords } from './records.ts'
import { plural, say, sayJson, table } from './shown.ts'

const levels = (about: string) => ({ type: 'string', value: 'FILE', multiple: true, about }) as const

const options = {
  events: levels('CloudTrail records: what lookup-events printed, a log file, or a record a line; may be repeated'),
  account: {
    type: 'string',
    value: 'FILE',
    about: 'what `aws iam get-account-authorization-details` printed (required)',
  },
  scp: levels('the service control policies to come: one level each time, several files of a level with commas'),
  'scp-before': levels('those in force when the calls were made, in the same way'),
  policy: levels('ARN=FILE: what a managed policy is to say; may be repeated'),
  json: { type: 'boolean', about: 'for programs' },
} as const

type Verdict = 'allowed' | 'denied' | 'open'

interface Flip {
  readonly call: RecordedCall
  readonly resource: string
  readonly becomes: Verdict
  readonly missing: readonly string[]
}

export const whatIfCommand: SubCommand = {
  name: 'what-if',
  about:
    'Decides recorded calls again under changed policies, and lists those that would have been decided otherwise. Exit status 1 when there is one, or there may be.',
  options,
  async run(words) {
    const { given } = readWords(options, words)
    if (given.events.length === 0) throw new UsageError('--events is missing.')
    if (given.scp.length === 0 && given.policy.length === 0)
      throw new UsageError('Say what changes: --scp or --policy.')
    const file = required(given.account, 'account')
    const replaced = new Map(given.policy.map((word) => replacement(word)))
    const [before, after] = [await readAccount(file), await readAccount(file, replaced)]
    const scpsBefore = levelsOf(given['scp-before'], 'scp')
    const scps = given.scp.length > 0 ? levelsOf(given.scp, 'scp') : scpsBefore

    const calls = given.events.flatMap((events) => readRecords(events))
    const found = replay(calls, { account: before, scps: scpsBefore }, { account: after, scps })
    if (given.json) sayJson(asJson(calls, found))
    else say(shown(calls, found))
    return found.flips.length === 0 ? 0 : 1
  },
}

function replacement(word: string): readonly [string, { readonly text: string; readonly file: string }] {
  const equals = word.indexOf('=')
  if (equals < 1) throw new UsageError(`--policy is ARN=FILE, not '${word}'.`)
  const file = word.slice(equals + 1)
  return [word.slice(0, equals), { text: readText(file), file }]
}

interface World {
  readonly account: Account
  readonly scps: Around['scps']
}

interface Replayed {
  readonly flips: readonly Flip[]
  /** Calls of nobody whose policies the account file holds: services, root, other accounts, deleted principals. */
  readonly strangers: number
  /** Calls whose record the policies as they were do not explain: a resource policy or a key is not known. */
  readonly unexplained: number
}

function replay(calls: readonly RecordedCall[], before: World, after: World): Replayed {
  const flips: Flip[] = []
  let strangers = 0
  let unexplained = 0
  const names = (world: World) => new Map(world.account.identities.map((identity) => [identity.arn, identity]))
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

function verdict(call: RecordedCall, resource: string, identity: Identity, { account, scps }: World) {
  const around: Around = { scps, rcps: undefined, context: call.context, without: [] }
  const accesses = reachOf(identity, around, accountIn(resource) ?? account.id).of(call.action, resource)
  const verdict: Verdict = accesses.some(({ certain }) => certain) ? 'allowed' : accesses.length > 0 ? 'open' : 'denied'
  return { verdict, missing: verdict === 'open' ? missingKeys(accesses) : [] }
}

const WORDS: Readonly<Record<Verdict, string>> = {
  allowed: 'would be allowed',
  denied: 'would be denied',
  open: 'cannot be told',
}

function shown(calls: readonly RecordedCall[], { flips, strangers, unexplained }: Replayed): string {
  const rows = flips.map(({ call, resource, becomes, missing }) => [
    WORDS[becomes],
    call.time,
    call.action,
    resource,
    call.principal ?? '',
    missing.length > 0 ? `hangs on ${missing.join(', ')}` : '',
  ])
  const sure = flips.filter(({ becomes }) => becomes !== 'open').length
  const notes = [
    `${plural(calls.length, 'call')}: ${sure} would have been decided otherwise, ${flips.length - sure} perhaps.`,
    ...(strangers > 0 ? [`${plural(strangers, 'call')} of nobody in the account file left out.`] : []),
    ...(unexplained > 0
      ? [`${plural(unexplained, 'call')} left out whose record the given policies do not explain.`]
      : []),
  ]
  return `${rows.length > 0 ? `${table(rows)}\n` : ''}${notes.join('\n')}\n`
}

function asJson(calls: readonly RecordedCall[], { flips, strangers, unexplained }: Replayed): object {
  return {
    calls: calls.length,
    leftOut: { strangers, unexplained },
    otherwise: flips.map(({ call, resource, becomes, missing }) => ({
      eventId: call.id,
      time: call.time,
      action: call.action,
      resource,
      principal: call.principal,
      recorded: call.allowed ? 'allowed' : 'denied',
      becomes,
      ...(missing.length > 0 && { missingContextKeys: missing }),
    })),
  }
}

/** `merlon policy what-if`: recorded calls decided again under changed policies. */
import type { RecordedCall } from '../../policy/account/recorded-call.ts'
import { type Replayed, type ReplayOutcome, replayCalls } from '../../policy/account/replay-calls.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'
import { readAccount } from './account.ts'
import { readText } from './files.ts'
import { levelsOf } from './identities.ts'
import { readRecords } from './records.ts'
import { plural, printJson, printLine, table } from './shown.ts'

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

export const whatIfCommand: SubCommand = {
  name: 'what-if',
  about:
    'Decides recorded calls again under changed policies, and lists those that would have been decided otherwise. Exit status 1 when there is one, or there may be.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    if (given.events.length === 0) throw new UsageError('--events is missing.')
    if (given.scp.length === 0 && given.policy.length === 0) throw new UsageError('Missing option: --scp or --policy.')
    const file = required(given.account, 'account')
    const replaced = new Map(given.policy.map((word) => replacement(word)))
    const [before, after] = [await readAccount(file), await readAccount(file, replaced)]
    const scpsBefore = levelsOf(given['scp-before'], 'scp')
    const scps = given.scp.length > 0 ? levelsOf(given.scp, 'scp') : scpsBefore

    const calls = given.events.flatMap((events) => readRecords(events))
    const found = replayCalls(calls, { account: before, scps: scpsBefore }, { account: after, scps })
    if (given.json) printJson(asJson(calls, found))
    else printLine(shown(calls, found))
    return found.flips.length === 0 ? 0 : 1
  },
}

function replacement(word: string): readonly [string, { readonly text: string; readonly file: string }] {
  const equals = word.indexOf('=')
  if (equals < 1) throw new UsageError(`--policy is ARN=FILE, not '${word}'.`)
  const file = word.slice(equals + 1)
  return [word.slice(0, equals), { text: readText(file), file }]
}

const WORDS: Readonly<Record<ReplayOutcome, string>> = {
  allowed: 'would be allowed',
  denied: 'would be denied',
  open: 'unknown',
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
    ...(strangers > 0 ? [`${plural(strangers, 'call')} left out, whose callers are not in the account file.`] : []),
    ...(unexplained > 0
      ? [`${plural(unexplained, 'call')} left out, whose record these policies do not explain.`]
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

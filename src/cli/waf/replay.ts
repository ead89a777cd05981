/** `merlon waf replay`: logged requests against a changed web ACL, before it is saved: what would be decided differently. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type LoggedRequest, loggedRequest } from '../../engines/waf/logged-request.ts'
import { UsageError } from '../command.ts'
import { InputError } from '../policy/files.ts'
import { plural, printJson, printLine, table } from '../policy/shown.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'

const options = {
  acl: { type: 'string', value: 'FILE', about: 'the changed web ACL, as for explain (required)' },
  with: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'an IP set, regex pattern set or rule group that it refers to',
  },
  log: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'log of AWS WAF: lines of JSON, plain or gzipped (required; may be given several times)',
  },
  json: { type: 'boolean', about: 'print JSON' },
} as const

/** In the list of changes. */
const SHOWN_MAX = 20
/** Of a file, uncompressed. */
const BYTES_MAX = 1024 ** 3
const TEXT_CHARS_MAX = 80

export interface ReplayedChange {
  readonly at: string
  readonly before: string
  readonly after: string
  readonly rule: string
  readonly method: string
  readonly uri: string
  readonly clientIp: string
}

export interface Replay {
  readonly requests: number
  readonly changed: number
  /** Requests whose body or redacted fields a rule could have looked at. */
  readonly incomplete: number
  /** `ALLOW → BLOCK`: how many. */
  readonly changes: Readonly<Record<string, number>>
  /** Rules that end the evaluation, and those that count: how many requests. */
  readonly rules: Readonly<Record<string, number>>
  readonly examples: readonly ReplayedChange[]
}

export const replayCommand: SubCommand = {
  name: 'replay',
  about: 'Evaluates logged requests by a changed web ACL, and shows which would be decided differently.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const file = required(given.acl, 'acl')
    if (given.log.length === 0) throw new UsageError('--log is missing.')
    // Other commands start without the engine.
    const { compileFiles } = await import('./evaluation.ts')
    const { RateLimiter } = await import('../../engines/waf/rate-limiter.ts')
    const acl = compileFiles(file, given.with)
    const rates = new RateLimiter()
    const counted: Counted = { requests: 0, changed: 0, incomplete: 0, changes: {}, rules: {}, examples: [] }
    for (const logged of readLogs(given.log)) {
      const verdict = acl.evaluate(logged.request, { rates, now: logged.at, token: logged.token })
      count(counted, logged, verdict)
    }
    if (given.json) printJson(counted)
    else printLine(shown(counted))
    return counted.changed === 0 ? 0 : 1
  },
}

type Counted = { -readonly [M in keyof Replay]: Replay[M] extends readonly (infer E)[] ? E[] : Replay[M] } & {
  readonly changes: Record<string, number>
  readonly rules: Record<string, number>
}

interface Decided {
  readonly action: string
  readonly terminatingRuleId: string
  readonly nonTerminating: readonly { readonly ruleId: string }[]
}

function count(counted: Counted, logged: LoggedRequest, verdict: Decided): void {
  const { action, terminatingRuleId, nonTerminating } = verdict
  counted.requests++
  if (logged.isIncomplete) counted.incomplete++
  for (const rule of new Set([terminatingRuleId, ...nonTerminating.map(({ ruleId }) => ruleId)]))
    counted.rules[rule] = (counted.rules[rule] ?? 0) + 1
  if (action === logged.action) return
  counted.changed++
  const change = `${logged.action} → ${action}`
  counted.changes[change] = (counted.changes[change] ?? 0) + 1
  if (counted.examples.length >= SHOWN_MAX) return
  const { method, path, query, clientIp } = logged.request
  counted.examples.push({
    at: new Date(logged.at).toISOString(),
    before: `${logged.action} by ${logged.ruleId}`,
    after: `${action} by ${terminatingRuleId}`,
    rule: terminatingRuleId,
    method,
    uri: query === '' ? path : `${path}?${query}`,
    clientIp,
  })
}

/** In the order in which the requests came: rates count by it. */
function readLogs(files: readonly string[]): readonly LoggedRequest[] {
  return files.flatMap(readLog).sort((a, b) => a.at - b.at)
}

function readLog(file: string): readonly LoggedRequest[] {
  let text: string
  try {
    const bytes = readFileSync(file)
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
    text = (isGzip ? gunzipSync(bytes, { maxOutputLength: BYTES_MAX }) : bytes).toString('utf8')
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${(error as Error).message}`)
  }
  const lines = text.split('\n').flatMap((line, n) => (line.trim() === '' ? [] : [[line, n + 1] as const]))
  return lines.map(([line, number]) => {
    const logged = loggedRequest(parsed(line))
    if (!logged) throw new InputError(`${file}: line ${number} is not a log record of AWS WAF.`)
    return logged
  })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function shown({ requests, changed, incomplete, changes, rules, examples }: Replay): string {
  const lines = [`${plural(requests, 'request')}, ${changed} decided differently.`]
  if (incomplete > 0)
    lines.push(
      `${plural(incomplete, 'request')} had a body or redacted fields, which logs do not show: rules on them did not match.`,
    )
  const counts = (title: string, entries: Readonly<Record<string, number>>) => {
    const rows = Object.entries(entries).sort(([, a], [, b]) => b - a)
    if (rows.length > 0)
      lines.push(
        '',
        title,
        table(
          rows.map(([name, n]) => [String(n), name]),
          '  ',
        ).trimEnd(),
      )
  }
  counts('Changes:', changes)
  counts('Matches by rule:', rules)
  if (examples.length > 0) {
    lines.push('', examples.length < changed ? `The first ${examples.length} changes:` : 'Requests:')
    const rows = examples.map(({ before, after, method, uri, clientIp }) => [
      before,
      after,
      clientIp,
      `${method} ${uri.length > TEXT_CHARS_MAX ? `${uri.slice(0, TEXT_CHARS_MAX)}…` : uri}`,
    ])
    lines.push(table(rows, '  ').trimEnd())
  }
  return `${lines.join('\n')}\n`
}

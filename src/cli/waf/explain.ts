/** `merlon waf explain`: what a web ACL decides of one request, by which rule, and which text made it match. */
import { isIP } from 'node:net'
import type { Evidence } from '../../engines/waf/inspection.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import type { Verdict } from '../../engines/waf/web-acl.ts'
import { UsageError } from '../command.ts'
import { readText } from '../policy/files.ts'
import { printJson, printLine, table } from '../policy/shown.ts'
import { parseSubcommand, required, type SubCommand } from '../subcommand.ts'

/** What load balancers give AWS WAF of a body. */
const BODY_BYTES_MAX = 8_192
const TEXT_CHARS_MAX = 120

const options = {
  acl: {
    type: 'string',
    value: 'FILE',
    about: 'the web ACL: output of aws wafv2 get-web-acl, or JSON of the console (required)',
  },
  with: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'an IP set, regex pattern set or rule group that it refers to',
  },
  url: { type: 'string', value: 'URL', about: 'the address that is requested (required)' },
  method: { type: 'string', value: 'METHOD', about: 'default: GET; POST with --data' },
  header: { type: 'string', value: "'NAME: VALUE'", multiple: true, about: 'a header of the request' },
  data: { type: 'string', value: 'TEXT', about: 'the body; @FILE: out of a file' },
  'client-ip': { type: 'string', value: 'ADDRESS', about: 'default: 192.0.2.1' },
  country: { type: 'string', value: 'CODE', about: 'where the address is, for geographic rules' },
  'address-lists': {
    type: 'string',
    value: 'DIR',
    about: 'lists of addresses, for groups that look addresses up (default: MERLON_ADDRESS_LISTS)',
  },
  json: { type: 'boolean', about: 'for programs' },
} as const

type Given = ReturnType<typeof parseSubcommand<typeof options>>['given']

export const explainCommand: SubCommand = {
  name: 'explain',
  about: 'Evaluates one request, and shows the rules that match and the texts that make them match.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const file = required(given.acl, 'acl')
    const request = requestOf(given)
    // Other commands start without the engine.
    const { absentLists, addressFacts, decide } = await import('./evaluation.ts')
    const addresses = addressFacts(given['address-lists'])
    const verdict = decide(file, given.with, request, addresses)
    if (given.json) printJson(verdict)
    else
      printLine(
        shown(verdict) +
          absentLists(file, addresses)
            .map((line) => `\n${line}\n`)
            .join(''),
      )
    return verdict.action === 'ALLOW' ? 0 : 1
  },
}

function requestOf(given: Given): InspectedRequest {
  const address = required(given.url, 'url')
  const split = /^https?:\/\/([^/?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?(?:#(\S*))?$/i.exec(address)
  if (!split) throw new UsageError('--url must be an address that begins with http:// or https://, without spaces.')
  const [, host = '', path = '', query = '', fragment] = split
  const body = given.data === undefined ? '' : bytesOf(given.data)
  const headers = given.header.map((each) => {
    const colon = each.indexOf(':')
    if (colon < 1) throw new UsageError(`--header '${each}' has no name and colon.`)
    return [each.slice(0, colon).trim(), each.slice(colon + 1).trim()] as const
  })
  const has = (name: string) => headers.some(([each]) => each.toLowerCase() === name)
  const clientIp = given['client-ip'] ?? '192.0.2.1'
  if (isIP(clientIp) === 0) throw new UsageError('--client-ip must be an IP address.')
  return {
    method: given.method ?? (given.data === undefined ? 'GET' : 'POST'),
    path: path === '' ? '/' : path,
    query,
    fragment,
    httpVersion: '1.1',
    headers: [
      ...(has('host') ? [] : [['Host', host] as const]),
      ...(has('user-agent') ? [] : [['User-Agent', 'Mozilla/5.0 (merlon waf explain)'] as const]),
      ...headers,
    ],
    body: body.slice(0, BODY_BYTES_MAX),
    isBodyTruncated: body.length > BODY_BYTES_MAX,
    clientIp,
    country: given.country,
  }
}

const bytesOf = (data: string): string =>
  Buffer.from(data.startsWith('@') ? readText(data.slice(1)) : data, 'utf8').toString('latin1')

const OUTCOMES: Readonly<Record<Verdict['action'], string>> = {
  ALLOW: 'Allowed',
  BLOCK: 'Blocked',
  CAPTCHA: 'Answered with a CAPTCHA',
  CHALLENGE: 'Answered with a challenge',
}

function shown(verdict: Verdict): string {
  const { action, terminatingRuleId, groups, nonTerminating, labels, insertedHeaders, response } = verdict
  const isDefault = terminatingRuleId === 'Default_Action'
  const status = response?.ResponseCode === undefined ? '' : ` with status ${response.ResponseCode}`
  const lines = [`${OUTCOMES[action]}${status} by ${isDefault ? 'the default action' : `rule ${terminatingRuleId}`}.`]
  const matches = [
    ...(verdict.evidence ? [{ rule: terminatingRuleId, action, evidence: verdict.evidence }] : []),
    ...groups.flatMap(({ id, terminatingRule, nonTerminating: counted }) =>
      [...counted, ...(terminatingRule ? [terminatingRule] : [])].map((match) => ({
        rule: `${id} ${match.ruleId}`,
        action: match.action,
        evidence: match.evidence ?? [],
      })),
    ),
    ...nonTerminating.map((match) => ({ rule: match.ruleId, action: match.action, evidence: match.evidence ?? [] })),
  ]
  if (matches.length > 0) lines.push('', 'Rules that match:')
  for (const match of matches) {
    lines.push(`  ${match.rule}: ${match.action}`)
    lines.push(table(match.evidence.map(evidenceRow), '    ').trimEnd())
  }
  if (labels.length > 0) lines.push('', 'Labels:', ...labels.map((label) => `  ${label}`))
  if (insertedHeaders.length > 0)
    lines.push('', 'Headers for the target:', ...insertedHeaders.map(([name, value]) => `  ${name}: ${value}`))
  return `${lines.filter((line, n) => line !== '' || n > 0).join('\n')}\n`
}

const evidenceRow = ({ condition, component, transformations, text }: Evidence): readonly string[] => [
  condition,
  component,
  transformations.length === 0 ? 'as it came' : transformations.join(', '),
  JSON.stringify(text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text),
]

/**
 * `node bench/waf-corpora.mjs [--peer URL] [--missed FILE] DIR…`: how many attacks of public corpora the managed rule groups block,
 * and how many harmless requests. DIR: checkouts of coreruleset, gotestwaf, waf-bypass (Nemesida) and libinjection. `--peer`:
 * another firewall that gets the same requests, such as nginx with ModSecurity and the OWASP Core Rule Set: 4xx counts as blocked,
 * other than 404. `--missed`: the cases that were decided wrongly by Core, SQL
 * database and Known bad inputs, or by all, one a line.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { casesOf } from './waf/corpora.mjs'
import { publishedAcl, sourceModule } from './waf/engine.mjs'
import { statusesOf } from './waf/peer.mjs'

const { values, positionals } = parseArgs({
  options: { peer: { type: 'string' }, missed: { type: 'string' } },
  allowPositionals: true,
})
const named = (...names) => names.map((name) => `AWSManagedRules${name}RuleSet`)
const CORE = named('Common', 'SQLi', 'KnownBadInputs')
const GROUPS = [...CORE, ...named('Linux', 'Unix', 'PHP')]
const ALL = [...GROUPS, 'MerlonManagedRulesInjectionRuleSet']
const HARMLESS = 10_000
const BODY_BYTES = 8_192

const { compilePublished, RateLimiter, targetOf, harmlessRequests } = await sourceModule({
  'engines/waf/published.ts': ['compilePublished'],
  'engines/waf/rate-limiter.ts': ['RateLimiter'],
  'planes/gateway/request.ts': ['targetOf'],
  'engines/waf/managed/harmless.fixture.ts': ['harmlessRequests'],
})
/** Core, SQL database and Known bad inputs; with the groups for platforms; and these with Merlon's own. */
const acls = [CORE, GROUPS, ALL].map((groups) => compilePublished(publishedAcl(groups)))
const context = { rates: new RateLimiter(), now: 0, token: {} }

/** The rule that blocks; `400` for a request that the gateway refuses. */
function blockedBy(acl, { method, target, headers, body }) {
  const read = targetOf(target)
  if (!read || target.includes('\0')) return '400'
  const verdict = acl.evaluate(
    {
      method,
      path: read.path,
      query: read.query ?? '',
      httpVersion: '1.1',
      headers,
      body: body.slice(0, BODY_BYTES),
      isBodyTruncated: body.length > BODY_BYTES,
      clientIp: '192.0.2.7',
    },
    context,
  )
  return verdict.action === 'ALLOW'
    ? undefined
    : (verdict.groups.at(-1)?.terminatingRule?.ruleId ?? verdict.terminatingRuleId)
}

const cases = positionals.flatMap(casesOf)
const harmless = [...harmlessRequests(HARMLESS)].map(({ method, path, query, headers, body }, at) => ({
  set: 'generated harmless',
  name: `${at} ${path} ${query} ${body}`,
  isAttack: false,
  request: { method, target: query === '' ? path : `${path}?${query}`, headers, body },
}))
const all = [...cases, ...harmless]
const statuses = values.peer
  ? await statusesOf(
      all.map(({ request }) => request),
      values.peer,
    )
  : undefined
const sets = new Map()
const missed = []
all.forEach(({ set, name, isAttack, request }, at) => {
  const [byCore, byAws, rule] = acls.map((acl) => blockedBy(acl, request))
  const counts = sets.get(set) ?? { set, isAttack, requests: 0, core: 0, awsNames: 0, blocked: 0, peerBlocked: 0 }
  sets.set(set, counts)
  counts.requests++
  if (byCore !== undefined) counts.core++
  if (byAws !== undefined) counts.awsNames++
  if (rule !== undefined) counts.blocked++
  const status = statuses?.[at]
  if (status !== undefined && status >= 400 && status < 500 && status !== 404) counts.peerBlocked++
  if ([byCore, rule].some((decided) => (decided !== undefined) !== isAttack))
    missed.push(
      JSON.stringify({ set, name: name.slice(0, 400), byCore, rule, ...(status !== undefined && { peer: status }) }),
    )
})
if (values.missed) writeFileSync(values.missed, `${missed.join('\n')}\n`)
for (const { isAttack, requests, core, awsNames, blocked, peerBlocked, set } of sets.values()) {
  const share = (count) => `${((100 * count) / requests).toFixed(1)} %`
  const measured = {
    set,
    requests,
    [isAttack ? 'blocked' : 'falsePositives']: blocked,
    share: share(blocked),
    core,
    coreShare: share(core),
    awsNames,
    awsNamesShare: share(awsNames),
    ...(statuses && { peer: peerBlocked, peerShare: share(peerBlocked) }),
  }
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}

/**
 * Decisions per second of `merlon/policy` beside other engines, on the same work in one run: five identity policies of
 * ten statements, a boundary, two levels of SCPs, a resource policy; a thousand requests, half of them allowed.
 * Each engine has to agree with ours on every request, or it is not measured but reported.
 */
import { createRequire } from 'node:module'
import * as policy from '../../dist/policy.js'
import { number, table, times } from '../report.mjs'
import { interleaved } from '../rounds.mjs'

const ACCOUNT = '111122223333'
const REQUESTS = 1_000
/** Of one round. */
const ROUND_MS = 400
const require = createRequire(import.meta.url)

const statement = (effect, action, resource, condition) => ({
  Effect: effect,
  Action: action,
  Resource: resource,
  ...(condition && { Condition: condition }),
})
const documentOf = (statements) => ({ Version: '2012-10-17', Statement: statements })

/** `count` policies of ten statements, each on buckets of its own. */
const identityOf = (count) =>
  Array.from({ length: count }, (_, p) =>
    documentOf(
      Array.from({ length: 10 }, (_, s) =>
        statement('Allow', [`s3:GetObject`, `s3:PutObject`], `arn:aws:s3:::bucket-${p}-${s}/*`, {
          StringEquals: { 'aws:PrincipalTag/team': `team-${s % 2}` },
        }),
      ),
    ),
  )
const boundary = documentOf([statement('Allow', 's3:*', '*')])
const scps = [
  documentOf([statement('Allow', '*', '*')]),
  documentOf([
    statement('Allow', '*', '*'),
    statement('Deny', 's3:*', '*', { StringNotEquals: { 'aws:RequestedRegion': ['us-east-1', 'eu-west-1'] } }),
  ]),
]
const resourcePolicy = documentOf([
  { ...statement('Deny', 's3:*', '*', { Bool: { 'aws:SecureTransport': 'false' } }), Principal: '*' },
])

/** Half are allowed: the others are for another team's bucket, another Region, or without TLS. */
const requestsOf = (count) =>
  Array.from({ length: REQUESTS }, (_, i) => {
    const [p, s] = [i % count, (i * 7) % 10]
    const spoilt = i % 2 === 0 ? undefined : ['team', 'region', 'transport'][i % 3]
    return {
      action: i % 4 < 2 ? 's3:GetObject' : 's3:PutObject',
      resource: `arn:aws:s3:::bucket-${p}-${s}/key-${i}`,
      context: {
        'aws:PrincipalTag/team': `team-${spoilt === 'team' ? (s + 1) % 2 : s % 2}`,
        'aws:RequestedRegion': spoilt === 'region' ? 'ap-east-1' : 'us-east-1',
        'aws:SecureTransport': spoilt === 'transport' ? 'false' : 'true',
      },
    }
  })

/** Ours, compiled once as the server keeps it; the request's context is built for every decision. */
function merlon(count) {
  const compile = (document, kind, id = kind) =>
    policy.compilePolicy(policy.parsePolicy(JSON.stringify(document), kind), { id, kind })
  const layers = {
    identity: policy.compileSet(identityOf(count).map((document, i) => compile(document, 'identity', `p${i}`))),
    boundary: compile(boundary, 'boundary'),
    scps: scps.map((document) => policy.compileSet([compile(document, 'scp')])),
    resource: compile(resourcePolicy, 'resource'),
    resourceMode: 'optional',
  }
  const principal = {
    kind: 'user',
    account: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
    userId: 'AIDA',
    name: 'ann',
    tags: {},
  }
  return ({ action, resource, context: given }) => {
    const context = new policy.Context()
    for (const [key, value] of Object.entries(given)) context.set(key, value)
    return policy.decide({ principal, action, resource, resourceAccount: ACCOUNT, context }, layers).allowed
  }
}

/** As it offers itself: one call a decision, with the policies as documents. */
async function iamSimulate(count) {
  const { runSimulation } = await import('@cloud-copilot/iam-simulate')
  const named = (document, i) => ({ name: `p${i}`, policy: document })
  const identityPolicies = identityOf(count).map(named)
  return async ({ action, resource, context }) => {
    const answer = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${ACCOUNT}:user/ann`,
          action,
          resource: { resource, accountId: ACCOUNT },
          contextVariables: context,
        },
        identityPolicies,
        serviceControlPolicies: scps.map((document, i) => ({
          orgIdentifier: `level-${i}`,
          policies: [named(document, i)],
        })),
        resourceControlPolicies: [],
        resourcePolicy,
        permissionBoundaryPolicies: [named(boundary, 0)],
      },
      {},
    )
    if (answer.resultType === 'error') throw new Error(JSON.stringify(answer.errors))
    return answer.overallResult === 'Allowed'
  }
}

/** The same rules in Cedar's language, parsed once; the layers that narrow become `forbid`. */
async function cedar(count) {
  const { preparsePolicySet, statefulIsAuthorized } = require('@cedar-policy/cedar-wasm/nodejs')
  const actions = '[Action::"s3:GetObject", Action::"s3:PutObject"]'
  const rules = identityOf(count).flatMap(({ Statement }) =>
    Statement.map(({ Resource, Condition }) => {
      const team = Condition.StringEquals['aws:PrincipalTag/team']
      return `permit(principal == User::"ann", action in ${actions}, resource) when { context.arn like "${Resource}" && context.team == "${team}" };`
    }),
  )
  rules.push('forbid(principal, action, resource) unless { ["us-east-1", "eu-west-1"].contains(context.region) };')
  rules.push('forbid(principal, action, resource) when { context.transport == "false" };')
  rules.push('forbid(principal, action, resource) unless { context.service == "s3" };')
  const id = `bench-${count}`
  const parsed = preparsePolicySet(id, { staticPolicies: rules.join('\n') })
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed))
  return ({ action, resource, context }) => {
    const answer = statefulIsAuthorized({
      principal: { type: 'User', id: 'ann' },
      action: { type: 'Action', id: action },
      resource: { type: 'Object', id: resource },
      context: {
        arn: resource,
        service: 's3',
        team: context['aws:PrincipalTag/team'],
        region: context['aws:RequestedRegion'],
        transport: context['aws:SecureTransport'],
      },
      preparsedPolicySetId: id,
      entities: [],
    })
    return answer.type === 'success' && answer.response.decision === 'allow'
  }
}

/** The same rules for casbin: a line a statement, the narrowing layers as denials; loaded once. */
async function casbin(count) {
  const { newEnforcer, newModelFromString, StringAdapter } = await import('casbin')
  const model = newModelFromString(`
[request_definition]
r = act, arn, team, region, transport
[policy_definition]
p = arn, team, region, transport, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = keyMatch(r.arn, p.arn) && (p.team == "*" || r.team == p.team) && (p.region == "*" || !regexMatch(r.region, p.region)) && (p.transport == "*" || r.transport == p.transport)
`)
  const lines = identityOf(count).flatMap(({ Statement }) =>
    Statement.map(
      ({ Resource, Condition }) => `p, ${Resource}, ${Condition.StringEquals['aws:PrincipalTag/team']}, *, *, allow`,
    ),
  )
  lines.push('p, *, *, ^(us-east-1|eu-west-1)$, *, deny', 'p, *, *, *, false, deny')
  const enforcer = await newEnforcer(model, new StringAdapter(lines.join('\n')))
  return ({ action, resource, context }) =>
    enforcer.enforceSync(
      action,
      resource,
      context['aws:PrincipalTag/team'],
      context['aws:RequestedRegion'],
      context['aws:SecureTransport'],
    )
}

/** Decisions a second of one round. */
async function rate(decide, requests) {
  const startedAt = performance.now()
  let done = 0
  while (performance.now() - startedAt < ROUND_MS) {
    // A slow engine must not run on for a whole thousand.
    for (let i = 0; i < 10; i++) {
      const answer = decide(requests[done++ % requests.length])
      if (answer instanceof Promise) await answer
    }
  }
  return { rate: done / ((performance.now() - startedAt) / 1000) }
}

const peers = [
  { name: '@cloud-copilot/iam-simulate', prepare: iamSimulate, aim: 500 },
  { name: '@cedar-policy/cedar-wasm', prepare: cedar, aim: 100 },
  { name: 'casbin', prepare: casbin, aim: 15 },
]

/** As pinned: not every package shows its own. */
const versionOf = (name) => require('../../package.json').devDependencies[name]

async function besidePeers(rounds) {
  const requests = requestsOf(5)
  const ours = merlon(5)
  const expected = requests.map(ours)
  const allowed = expected.filter(Boolean).length
  if (allowed !== REQUESTS / 2) throw new Error(`${allowed} of ${REQUESTS} requests are allowed, not half`)

  const engines = [{ name: 'merlon/policy', decide: ours }]
  for (const { name, prepare, aim } of peers) {
    const decide = await prepare(5)
    for (const [i, request] of requests.entries()) {
      if ((await decide(request)) !== expected[i]) throw new Error(`${name} decides request ${i} otherwise`)
    }
    engines.push({ name: `${name} ${versionOf(name)}`, decide, aim })
  }
  const results = await interleaved(engines, rounds, ({ decide }) => rate(decide, requests))
  return table(
    ['', 'decisions/s', 'ours is'],
    engines.map(({ name, aim }, i) => [
      name,
      number(results[i].rate),
      i === 0 ? '' : times(results[0].rate / results[i].rate, aim),
    ]),
  )
}

async function byPolicies(rounds) {
  const sizes = [5, 100, 1_000].map((count) => ({ count, decide: merlon(count), requests: requestsOf(count) }))
  const results = await interleaved(sizes, rounds, ({ decide, requests }) => rate(decide, requests))
  return table(
    ['identity policies', 'decisions/s'],
    sizes.map(({ count }, i) => [number(count).replace('.00', ''), number(results[i].rate)]),
  )
}

/** Documents and patterns made to be slow: the slowest is shown with the limit of ten milliseconds. */
function strangeDocuments() {
  const of = (Resource, more = {}) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource, ...more }] })
  const documents = {
    'a million characters in one text': of(`arn:aws:s3:::${'a'.repeat(1_000_000)}`),
    '100,000 levels deep': '{"Statement":'.repeat(100_000),
    '20,000 resources': of(Array.from({ length: 20_000 }, (_, i) => `a${i}`)),
    'fifty stars': of(`arn:aws:s3:::b/${'*a'.repeat(50)}`),
    'a thousand stars': of(`arn:aws:s3:::b/${'*a'.repeat(1_000)}c`),
    'strange letters': of('arn:aws:s3:::b/*', { Sid: '\ud800\u202e\u0000' }),
  }
  const principal = { kind: 'root', account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT, tags: {} }
  const request = { principal, action: 's3:GetObject', resourceAccount: ACCOUNT, context: new policy.Context() }
  return Object.entries(documents).map(([name, text]) => {
    const started = performance.now()
    let outcome = 'refused'
    try {
      const session = policy.compilePolicy(policy.parsePolicy(text, 'identity'), { id: 'x', kind: 'identity' })
      policy.decide(
        { ...request, resource: `arn:aws:s3:::b/${'a'.repeat(1_000)}b` },
        { identity: [], session: [session], resourceMode: 'optional' },
      )
      outcome = 'evaluated'
    } catch {
      // Refused, as it should be.
    }
    return { name, outcome, ms: performance.now() - started }
  })
}

const DOCUMENT_MS_MAX = 10

function slowDocuments() {
  for (let warm = 0; warm < 3; warm++) strangeDocuments()
  return table(
    ['document', '', 'ms'],
    strangeDocuments().map(({ name, outcome, ms }) => [
      name,
      outcome,
      `${ms.toFixed(2)}${ms > DOCUMENT_MS_MAX ? ` (aim ${DOCUMENT_MS_MAX})` : ''}`,
    ]),
  )
}

export const decisions = async ({ rounds }) =>
  [
    await besidePeers(rounds),
    '',
    await byPolicies(rounds),
    '',
    slowDocuments(),
    '',
    `Medians of ${rounds} interleaved rounds.`,
  ].join('\n')

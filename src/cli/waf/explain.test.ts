/** `merlon waf explain`: verdicts, evidence, and files that cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { waf } from '../waf.ts'

const folder = mkdtempSync(join(tmpdir(), 'merlon-waf-'))
const file = (name: string, content: unknown): string => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(folder, name)
}

const ARN = 'arn:aws:wafv2:us-east-1:111122223333:regional/ipset/bad/1'
const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }
const byteMatch = (SearchString: string) => ({
  ByteMatchStatement: {
    SearchString,
    FieldToMatch: { UriPath: {} },
    TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }],
    PositionalConstraint: 'STARTS_WITH',
  },
})
const rule = (Name: string, Priority: number, Statement: object, Action: object = { Block: {} }) => ({
  Name,
  Priority,
  Statement,
  Action,
  VisibilityConfig: VISIBILITY,
})

let printed = ''
beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
})
afterEach(() => {
  printed = ''
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const explain = (acl: string, ...words: string[]) => waf.run(['explain', '--acl', acl, ...words])

test('The console writes search strings as text, the AWS CLI prints them in base64', async () => {
  const edited = file('edited.json', { DefaultAction: { Allow: {} }, Rules: [rule('admin', 0, byteMatch('/admin'))] })
  const printedByCli = file('printed.json', {
    LockToken: 'x',
    WebACL: { Name: 'a', DefaultAction: { Allow: {} }, Rules: [rule('admin', 0, byteMatch('L2FkbWlu'))] },
  })
  for (const acl of [edited, printedByCli]) {
    expect(await explain(acl, '--url', 'https://shop.example/ADMIN/x')).toBe(1)
    expect(printed).toContain('Blocked by rule admin.')
    expect(printed).toContain('BYTE_MATCH  UriPath  LOWERCASE  "/admin/x"')
    expect(await explain(acl, '--url', 'https://shop.example/')).toBe(0)
    printed = ''
  }
})

test('Sets that the web ACL refers to are read from files; without them nothing is decided', async () => {
  const acl = file('ips.json', {
    DefaultAction: { Allow: {} },
    Rules: [rule('ips', 0, { IPSetReferenceStatement: { ARN } })],
  })
  const set = file('set.json', { IPSet: { Name: 'bad', Id: '1', ARN, Addresses: ['198.51.100.0/24'] } })
  const words = ['--url', 'http://shop.example/', '--client-ip', '198.51.100.7']
  expect(await explain(acl, ...words, '--with', set)).toBe(1)
  expect(await explain(acl, ...words.slice(0, 2), '--with', set)).toBe(0)
  printed = ''
  expect(await explain(acl, ...words)).toBe(2)
  expect(printed).toContain(`The IP set ${ARN} does not exist.`)
})

test('Groups are named with their rule and its label, as JSON too', async () => {
  const acl = file('managed.json', {
    DefaultAction: { Allow: {} },
    Rules: [
      {
        Name: 'core',
        Priority: 0,
        Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesCommonRuleSet' } },
        OverrideAction: { Count: {} },
      },
    ],
  })
  const words = [
    '--url',
    'https://shop.example/',
    '--header',
    'Content-Type: application/json',
    '--data',
    '{"a":"<script>"}',
  ]
  expect(await explain(acl, ...words)).toBe(0)
  expect(printed).toContain('AWS#AWSManagedRulesCommonRuleSet CrossSiteScripting_BODY: BLOCK')
  expect(printed).toContain('awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body')
  printed = ''
  await explain(acl, ...words, '--json')
  expect(JSON.parse(printed)).toMatchObject({ action: 'ALLOW', nonTerminating: [{ ruleId: 'core', action: 'COUNT' }] })
})

test('Files and addresses that cannot be meant are named', async () => {
  const good = file('good.json', { DefaultAction: { Allow: {} } })
  expect(await explain(file('broken.json', '{'), '--url', 'http://x/')).toBe(2)
  expect(await explain(file('other.json', { Rules: [] }), '--url', 'http://x/')).toBe(2)
  expect(printed).toContain('has no DefaultAction')
  expect(await explain(file('rules.json', { DefaultAction: {}, Rules: [1] }), '--url', 'http://x/')).toBe(2)
  await expect(explain(good, '--url', 'shop.example')).rejects.toThrow('--url must be an address')
  await expect(explain(good, '--url', 'http://x/', '--client-ip', 'x')).rejects.toThrow('--client-ip')
})

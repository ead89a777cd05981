/** SecLang: what is converted and decides as its rule does, and what is listed because it cannot be. */
import { describe, expect, test } from 'vitest'
import { RateLimiter } from '../rate-limiter.ts'
import type { InspectedRequest } from '../request.ts'
import { compileWebAcl } from '../web-acl.ts'
import { directives } from './directives.ts'
import { importSecLang } from './import.ts'

const request = (parts: Partial<InspectedRequest> = {}): InspectedRequest => ({
  method: 'GET',
  path: '/',
  query: '',
  httpVersion: '1.1',
  headers: [['Host', 'shop.example']],
  body: '',
  isBodyTruncated: false,
  clientIp: '203.0.113.9',
  ...parts,
})

const SET = 'arn:aws:wafv2:us-east-1:111122223333:regional/ipset/office/1'

/** The status that a request gets, and the rules that count. */
function decided(text: string, parts: Partial<InspectedRequest>) {
  const { rules } = importSecLang(text, { ipSets: new Map([['7', SET]]) })
  const acl = compileWebAcl(
    { arn: 'arn', name: 'a', labelNamespace: 'awswaf:1:webacl:a:', defaultAction: { Allow: {} }, rules },
    {
      ipSet: (arn) => (arn === SET ? ['192.0.2.0/24'] : undefined),
      regexPatternSet: () => undefined,
      ruleGroup: () => undefined,
      managedRuleGroup: () => undefined,
    },
  )
  const { action, response, nonTerminating } = acl.evaluate(request(parts), {
    rates: new RateLimiter(),
    now: 0,
    token: {},
  })
  return action === 'ALLOW' ? nonTerminating.map(({ ruleId }) => ruleId) : (response?.ResponseCode ?? 403)
}

test('Directives go over lines, and have words in quotes', () => {
  expect(directives('# SecRule x\n\nSecRule ARGS \\\n  "@rx a\\"b" \\\n  "id:1"\r\nSecMarker END')).toEqual([
    { name: 'SecRule', words: ['ARGS', '@rx a"b', 'id:1'], line: 3 },
    { name: 'SecMarker', words: ['END'], line: 6 },
  ])
})

describe('A rule decides as it does in SecLang', () => {
  test.each<[string, string, Partial<InspectedRequest>, Partial<InspectedRequest>, number | readonly string[]]>([
    [
      '@contains',
      'SecRule ARGS "@contains evil" "id:1,deny,t:urlDecode"',
      { query: 'a=%65vil' },
      { query: 'a=devious' },
      403,
    ],
    [
      '@rx without a name',
      'SecRule REQUEST_URI "^/adm[i]n" "id:1,deny,status:404"',
      { path: '/admin' },
      { path: '/x/admin' },
      404,
    ],
    [
      '@pm in any case',
      'SecRule REQUEST_HEADERS:User-Agent "@pm nikto SqlMap" "id:1,drop"',
      { headers: [['user-agent', 'SQLMAP/1']] },
      {},
      403,
    ],
    [
      '@detectSQLi',
      'SecRule ARGS "@detectSQLi" "id:1,block,t:urlDecodeUni"',
      { query: 'id=1%27%20or%201=1--' },
      { query: "n=O'Brien" },
      403,
    ],
    [
      '@detectXSS',
      'SecRule REQUEST_COOKIES "@detectXSS" "id:1,block"',
      { headers: [['Cookie', 'a=<script>']] },
      {},
      403,
    ],
    ['@streq, negated', 'SecRule REQUEST_METHOD "!@streq GET" "id:1,deny"', { method: 'PUT' }, {}, 403],
    ['@ipMatch', 'SecRule REMOTE_ADDR "@ipMatch 192.0.2.0/24" "id:7,deny"', { clientIp: '192.0.2.7' }, {}, 403],
    ['pass', 'SecRule QUERY_STRING "@beginsWith a=" "id:1,pass"', { query: 'a=1' }, { query: 'b=1' }, ['rule-1']],
    [
      'a chain',
      'SecRule REQUEST_FILENAME "@endsWith .php" "id:1,deny,chain"\nSecRule ARGS:cmd "@rx ." "t:none"',
      { path: '/a.php', query: 'cmd=1' },
      { path: '/a.php' },
      403,
    ],
    [
      't:none begins again',
      'SecRule ARGS "@streq A" "id:1,deny,t:lowercase,t:none"',
      { query: 'a=A' },
      { query: 'a=b' },
      403,
    ],
  ])('%s', (_, text, matching, other, expected) => {
    expect(importSecLang(text, { ipSets: new Map([['7', SET]]) }).notImported).toEqual([])
    expect(decided(text, matching)).toEqual(expected)
    expect(decided(text, other)).toEqual([])
  })
})

test.each([
  ['SecRule ARGS "@rx (?=a)b" "id:2,deny"', 'a regular expression that RE2 does not have'],
  ['SecRule ARGS "@rx [a-z]{1,900}" "id:2,deny"', 'a regular expression that costs too much'],
  [
    `SecRule ARGS "@rx ${'a'.repeat(513)}" "id:2,deny"`,
    'a regular expression of 513 characters, of which there can be 512',
  ],
  ['SecRule ARGS "a" "id:2,phase:4,deny"', 'phase 4 looks at responses or logs'],
  ['SecRule TX:score "@gt 5" "id:2,deny"', 'no variable of TX:score has a component'],
  ['SecRule ARGS "@gt 5" "id:2,deny"', 'the operator @gt'],
  ['SecRule ARGS "@rx a" "id:2,deny,t:sha1"', 'the transformation sha1'],
  ['SecRule ARGS "!@rx a" "id:2,deny"', 'a negated operator on several values'],
  ['SecRule ARGS "@contains %{tx.x}" "id:2,deny"', 'a variable in the operator'],
  ['SecRule REMOTE_ADDR "@ipMatch 192.0.2.1" "id:2,deny"', '@ipMatch needs an IP set of 192.0.2.1: pass its ARN'],
  ['SecRule ARGS "@rx a" "id:2,redirect:https://a.example"', 'the action redirect'],
])('%s is listed with its reason', (text, reason) => {
  expect(importSecLang(text)).toMatchObject({ rules: [], notImported: [{ id: '2', line: 1, reason }] })
})

test('What is left out of a rule, or looked for more widely, is a warning with its ID', () => {
  const text = `SecRule ARGS_POST|!ARGS_POST:token|TX:1 "@rx a" "id:3,deny,ctl:ruleRemoveById=5,setvar:'tx.a=1,2'"`
  expect(importSecLang(text).warnings.map(({ id, reason }) => [id, reason])).toEqual([
    ['3', 'ARGS_POST: the whole body is inspected'],
    ['3', '!ARGS_POST:token: the exclusion is not applied'],
    ['3', 'TX:1: is not inspected'],
    ['3', 'ctl:ruleRemoveById=5 is ignored'],
    ['3', 'setvar:tx.a=1,2 is ignored'],
  ])
})

test('A second rule with the same ID is not imported', () => {
  const text = 'SecRule ARGS "a" "id:4,deny"\nSecRule ARGS "b" "id:4,deny"'
  expect(importSecLang(text)).toMatchObject({ rules: [{ Name: 'rule-4' }], notImported: [{ id: '4', line: 2 }] })
})

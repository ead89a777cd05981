/** Web ACLs at the gateway: what is blocked, counted, limited and challenged, on real sockets. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import {
  AssociateWebACLCommand,
  CreateWebACLCommand,
  DisassociateWebACLCommand,
  GetSampledRequestsCommand,
  PutLoggingConfigurationCommand,
  type Rule,
  type Statement,
  UpdateWebACLCommand,
  WAFV2Client,
} from '@aws-sdk/client-wafv2'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { GATEWAY } from '../../kernel/planes/gateway-content.ts'
import { planeSecrets } from '../../kernel/planes/sealed-secrets.ts'
import { SealedCookies } from '../../kernel/web-acl-tokens/sealed-cookies.ts'
import { gatewayCloud, target, WAIT } from './gateway.fixture.ts'
import type { GatewaySettings } from './index.ts'

const visibility = (MetricName: string) => ({
  MetricName,
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: false,
})
const rule = (Name: string, Priority: number, statement: Statement, action: Rule['Action']): Rule => ({
  Name,
  Priority,
  Statement: statement,
  Action: action,
  VisibilityConfig: visibility(Name),
})
const NONE = [{ Priority: 0, Type: 'NONE' as const }]
const path = (text: string): Statement => ({
  ByteMatchStatement: {
    SearchString: Buffer.from(text),
    FieldToMatch: { UriPath: {} },
    TextTransformations: NONE,
    PositionalConstraint: 'STARTS_WITH',
  },
})
const sqli: Statement = {
  SqliMatchStatement: {
    FieldToMatch: { AllQueryArguments: {} },
    TextTransformations: [{ Priority: 0, Type: 'URL_DECODE' }],
  },
}
const INJECTION = '/?id=1%27%20or%201=1--'

async function protectedShop(rules: Rule[], more: object = {}, settings: GatewaySettings = {}) {
  const it = await gatewayCloud(settings)
  const a = await target('a')
  const shop = await it.serving('shop', 80, [a.port])
  const waf = it.client(WAFV2Client)
  const base = { DefaultAction: { Allow: {} }, VisibilityConfig: visibility('acl'), Scope: 'REGIONAL' as const }
  const { Summary } = await waf.send(new CreateWebACLCommand({ Name: 'acl', ...base, Rules: rules, ...more }))
  let LockToken = Summary!.LockToken
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn: shop.arn }))
  const update = async (changed: Rule[]) => {
    const answer = await waf.send(
      new UpdateWebACLCommand({ Id: Summary!.Id, Name: 'acl', ...base, Rules: changed, LockToken, ...more }),
    )
    LockToken = answer.NextLockToken
  }
  const status = async (where: string, init: RequestInit = {}) =>
    (await fetch(shop.url + where, { redirect: 'manual', ...init })).status
  return { ...it, ...shop, a, waf, acl: Summary!, update, status }
}

describe('A web ACL', () => {
  test('blocks an injection, lets it through with a label and a header when it counts, and is recorded', async () => {
    const it = await protectedShop([rule('sqli', 1, sqli, { Block: {} })])
    await vi.waitFor(async () => expect(await it.status(INJECTION)).toBe(403), WAIT)
    expect(await it.status('/?id=1')).toBe(200)
    const before = it.a.seen.length
    expect(await it.status(INJECTION)).toBe(403)
    expect(it.a.seen.length).toBe(before)
    expect(it.plane.metrics().join('\n')).toMatch(
      /^merlon_gateway_web_acl_stopped_total\{web_acl="acl",rule="sqli",action="BLOCK"\} [2-9]/m,
    )
    expect(it.plane.metrics().join('\n')).toMatch(
      /^merlon_gateway_requests_total\{load_balancer="loadbalancer\/app\/shop\/[0-9a-f]+",status="403"\} [2-9]/m,
    )
    await vi.waitFor(async () => {
      const { SampledRequests } = await it.waf.send(
        new GetSampledRequestsCommand({
          WebAclArn: it.acl.ARN,
          RuleMetricName: 'sqli',
          Scope: 'REGIONAL',
          TimeWindow: { StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 60_000) },
          MaxItems: 10,
        }),
      )
      expect(SampledRequests?.[0]).toMatchObject({ Action: 'BLOCK', ResponseCodeSent: 403 })
    }, WAIT)
    const CustomRequestHandling = { InsertHeaders: [{ Name: 'found', Value: 'sqli' }] }
    const counting = { ...rule('sqli', 1, sqli, { Count: { CustomRequestHandling } }), RuleLabels: [{ Name: 'bad' }] }
    const labelled: Statement = { LabelMatchStatement: { Scope: 'LABEL', Key: 'bad' } }
    const onLabel = { InsertHeaders: [{ Name: 'label', Value: 'bad' }] }
    await it.update([counting, rule('label', 2, labelled, { Count: { CustomRequestHandling: onLabel } })])
    await vi.waitFor(async () => expect(await it.status(INJECTION)).toBe(200), WAIT)
    expect(it.a.seen.at(-1)?.headers).toMatchObject({ 'x-amzn-waf-found': 'sqli', 'x-amzn-waf-label': 'bad' })
    await it.waf.send(new DisassociateWebACLCommand({ ResourceArn: it.arn }))
    await vi.waitFor(async () => {
      await it.status(INJECTION)
      expect(it.a.seen.at(-1)?.headers).not.toHaveProperty('x-amzn-waf-found')
    }, WAIT)
  })

  test('logs each request that it blocks once', async () => {
    const it = await protectedShop([rule('sqli', 1, sqli, { Block: {} })])
    const s3 = it.client(S3Client)
    const Bucket = 'aws-waf-logs-shop'
    await s3.send(new CreateBucketCommand({ Bucket }))
    const LogDestinationConfigs = [`arn:aws:s3:::${Bucket}`]
    await it.waf.send(
      new PutLoggingConfigurationCommand({ LoggingConfiguration: { ResourceArn: it.acl.ARN, LogDestinationConfigs } }),
    )
    const logged = async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
      const files = await Promise.all(
        Contents.map(async ({ Key }) => {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: Key! }))
          return gunzipSync(await Body!.transformToByteArray()).toString()
        }),
      )
      const lines = files.join('').split('\n').filter(Boolean)
      return lines.map((line) => JSON.parse(line) as { action: string; httpRequest: { args: string } })
    }
    let sent = 0
    const records = await vi.waitFor(
      async () => {
        await it.status(`${INJECTION}&n=${sent++}`)
        await it.pass(5 * 60_000)
        const found = (await logged()).filter(({ action }) => action === 'BLOCK')
        expect(found.length).toBeGreaterThan(1)
        return found
      },
      { timeout: 20_000, interval: 1_100 },
    )
    const numbers = records.map(({ httpRequest }) => /&n=(\d+)$/.exec(httpRequest.args)?.[1])
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.every((number) => number !== undefined && Number(number) < sent)).toBe(true)
  })

  test('looks into bodies up to its limit, and answers with the response of its rule', async () => {
    const body: Statement = {
      ByteMatchStatement: {
        SearchString: Buffer.from('attack'),
        FieldToMatch: { Body: { OversizeHandling: 'CONTINUE' } },
        TextTransformations: NONE,
        PositionalConstraint: 'CONTAINS',
      },
    }
    const CustomResponse = {
      ResponseCode: 418,
      CustomResponseBodyKey: 'no',
      ResponseHeaders: [{ Name: 'x-why', Value: 'body' }],
    }
    const it = await protectedShop([rule('body', 1, body, { Block: { CustomResponse } })], {
      CustomResponseBodies: { no: { ContentType: 'APPLICATION_JSON', Content: '{"error":"blocked"}' } },
    })
    const post = (text: string) => fetch(it.url, { method: 'POST', body: text })
    await vi.waitFor(async () => expect((await post('an attack')).status).toBe(418), WAIT)
    const blocked = await post(`${'x'.repeat(8_000)}attack`)
    expect([blocked.headers.get('x-why'), blocked.headers.get('content-type'), await blocked.text()]).toEqual([
      'body',
      'application/json',
      '{"error":"blocked"}',
    ])
    // Beyond the limit a body is not inspected, and arrives as a whole.
    const long = `${'x'.repeat(100_000)}attack`
    expect((await post(long)).status).toBe(200)
    expect(it.a.seen.at(-1)?.body).toBe(long)
  })

  test('knows what the files of the operator say of an address: a list, a country, a bot', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'merlon-gateway-addresses-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'hosting.txt'), '127.0.0.0/8\n')
    writeFileSync(join(folder, 'verified-bots.txt'), '127.0.0.0/8 googlebot\n')
    writeFileSync(join(folder, 'geography.csv'), '127.0.0.0/8,DE,64496\n')
    const group = (Name: string, Priority: number): Rule => ({
      Name,
      Priority,
      Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: `AWSManagedRules${Name}` } },
      OverrideAction: { Count: {} },
      VisibilityConfig: visibility(Name),
    })
    const german = { GeoMatchStatement: { CountryCodes: ['DE'] } } as Statement
    const labelled = (Key: string): Statement => ({ LabelMatchStatement: { Scope: 'LABEL', Key } })
    const marks = [
      'awswaf:clientip:geo:country:DE',
      'awswaf:managed:aws:anonymous-ip-list:HostingProviderIPList',
      'awswaf:managed:aws:bot-control:bot:verified',
    ]
    const it = await protectedShop(
      [
        rule('german', 0, german, { Count: {} }),
        group('AnonymousIpList', 1),
        group('BotControlRuleSet', 2),
        ...marks.map((mark, at) =>
          rule(`mark${at}`, at + 3, labelled(mark), {
            Count: { CustomRequestHandling: { InsertHeaders: [{ Name: `mark${at}`, Value: mark }] } },
          }),
        ),
        rule('all', 9, path('/blocked'), { Block: {} }),
      ],
      {},
      { addresses: { lists: folder, geography: join(folder, 'geography.csv') } },
    )
    await vi.waitFor(async () => expect(await it.status('/blocked')).toBe(403), WAIT)
    await it.status('/', { headers: { 'User-Agent': 'Googlebot/2.1' } })
    const { headers } = it.a.seen.at(-1)!
    expect(marks.map((_, at) => headers[`x-amzn-waf-mark${at}`])).toEqual(marks)
  })

  test('limits the rate of an address', async () => {
    const limited: Statement = {
      RateBasedStatement: { Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: 'IP' },
    }
    const it = await protectedShop([rule('rate', 1, { RateBasedStatement: limited.RateBasedStatement }, { Block: {} })])
    await vi.waitFor(async () => expect(await it.status('/')).toBe(403), WAIT)
  })
})

describe('A challenge', () => {
  const solved = (challenge: string, bits: number) => {
    for (let n = 0; ; n++)
      if (createHash('sha256').update(`${challenge}:${n}`).digest().readUInt32BE() >>> (32 - bits) === 0)
        return String(n)
  }

  test('is passed by a client that solves it, and its token is of that client alone', async () => {
    const it = await protectedShop([rule('challenge', 1, path('/private'), { Challenge: {} })])
    const browser = { Accept: 'text/html,*/*', 'User-Agent': 'Browser/1' }
    await vi.waitFor(async () => expect(await it.status('/private')).toBe(202), WAIT)
    const bare = await fetch(`${it.url}/private`)
    expect([bare.headers.get('x-amzn-waf-action'), await bare.text()]).toEqual(['challenge', ''])
    const page = await fetch(`${it.url}/private`, { headers: browser })
    expect(page.status).toBe(202)
    const [, challenge = '', bits] = /data-challenge="([^"]+)" data-bits="(\d+)"/.exec(await page.text()) ?? []
    const send = (solution: string, headers: Record<string, string> = browser) =>
      fetch(`${it.url}/.well-known/merlon-challenge`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ challenge, solution }),
      })
    expect((await send('1')).status).toBe(403)
    const solution = solved(challenge, Number(bits))
    expect((await send(solution, { 'User-Agent': 'Other/1' })).status).toBe(403)
    const answer = await send(solution)
    expect(answer.status).toBe(200)
    const Cookie = answer.headers.get('set-cookie')!.split(';')[0]!
    expect(Cookie).toMatch(/^aws-waf-token=/)
    // A challenge gives one token.
    expect((await send(solution)).status).toBe(403)
    expect(await it.status('/private', { headers: { ...browser, Cookie } })).toBe(200)
    expect(await it.status('/private', { headers: { ...browser, 'User-Agent': 'Other/1', Cookie } })).toBe(202)
    expect(await it.status('/private', { headers: { ...browser, Cookie: `${Cookie.slice(0, -2)}AA` } })).toBe(202)
    expect(await it.status('/public')).toBe(200)
  })

  test('is solved for one host, and for others where the web ACL names its domain', async () => {
    const rules = [rule('challenge', 1, path('/private'), { Challenge: {} })]
    const it = await protectedShop(rules, { TokenDomains: ['shop.example'] })
    await vi.waitFor(async () => expect(await it.status('/private')).toBe(202), WAIT)
    const at = (host: string, more: Record<string, string> = {}, method = 'GET', where = '/private', body?: string) =>
      new Promise<{ status: number; text: string; cookie: string }>((resolve, reject) => {
        const headers = { Host: host, Accept: 'text/html', ...more }
        const sent = request({ host: '127.0.0.1', port: it.port, path: where, method, headers }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () =>
            resolve({ status: response.statusCode!, text, cookie: response.headers['set-cookie']?.[0] ?? '' }),
          )
        })
        sent.on('error', reject).end(body)
      })
    const token = async (host: string) => {
      const { text } = await at(host)
      const [, challenge = '', bits] = /data-challenge="([^"]+)" data-bits="(\d+)"/.exec(text) ?? []
      const body = JSON.stringify({ challenge, solution: solved(challenge, Number(bits)) })
      return (await at(host, {}, 'POST', '/.well-known/merlon-challenge', body)).cookie
    }
    const status = async (host: string, cookie: string) => (await at(host, { Cookie: cookie.split(';')[0]! })).status

    const shared = await token('www.shop.example')
    expect(shared).toContain('; Domain=shop.example')
    expect([await status('www.shop.example', shared), await status('other.example', shared)]).toEqual([200, 200])
    // Solved where anyone may name any host: of no use elsewhere, neither below it nor at the named domain.
    const own = await token('example')
    expect(own).not.toContain('Domain=')
    expect(await status('example', own)).toBe(200)
    for (const host of ['shop.example', 'www.shop.example', 'other.example'])
      expect([host, await status(host, own)]).toEqual([host, 202])
  })
})

describe('A CAPTCHA', () => {
  const browser = { Accept: 'text/html,*/*', 'User-Agent': 'Browser/1' }
  const cookieOf = (answer: Response) => answer.headers.get('set-cookie')?.split(';')[0] ?? ''

  async function puzzled() {
    const labelled: Statement = {
      LabelMatchStatement: { Scope: 'LABEL', Key: 'awswaf:managed:captcha:accepted' },
    }
    const insert = { CustomRequestHandling: { InsertHeaders: [{ Name: 'person', Value: 'yes' }] } }
    const it = await protectedShop([
      rule('label', 1, labelled, { Count: insert }),
      rule('captcha', 2, path('/private'), { Captcha: {} }),
    ])
    await vi.waitFor(async () => expect(await it.status('/private')).toBe(405), WAIT)
    const sealed = new SealedCookies(it.use(planeSecrets).derive(GATEWAY, 'web ACL tokens 1'))
    const page = async (where = '/private?a=1') => {
      const answer = await fetch(it.url + where, { headers: browser })
      return [answer.status, /name="puzzle" value="([^"]+)"/.exec(await answer.text())?.[1] ?? ''] as const
    }
    /** What a person sees and hears. */
    const read = (puzzle: string) => sealed.open('puzzle', puzzle) as { digits: string; tones: string }
    const send = (puzzle: string, answer: string, headers: Record<string, string> = browser) =>
      fetch(`${it.url}/.well-known/merlon-captcha`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ puzzle, answer }),
        redirect: 'manual',
      })
    return { ...it, page, read, send }
  }

  test('is passed by an answer to its picture or its sound, once, and by that client alone', async () => {
    const it = await puzzled()
    const bare = await fetch(`${it.url}/private`)
    expect([bare.status, bare.headers.get('x-amzn-waf-action'), await bare.text()]).toEqual([405, 'captcha', ''])
    const [status, puzzle] = await it.page()
    expect(status).toBe(405)
    const { digits, tones } = it.read(puzzle)
    expect((await it.send(puzzle, digits, { ...browser, 'User-Agent': 'Other/1' })).status).toBe(405)
    const answer = await it.send(puzzle, ` ${digits.slice(0, 3)} ${digits.slice(3)} `)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/private?a=1'])
    const Cookie = cookieOf(answer)
    expect(await it.status('/private', { headers: { ...browser, Cookie } })).toBe(200)
    expect(it.a.seen.at(-1)?.headers).toMatchObject({ 'x-amzn-waf-person': 'yes' })
    expect(await it.status('/private', { headers: { ...browser, 'User-Agent': 'Other/1', Cookie } })).toBe(405)
    // A puzzle gives one token.
    expect((await it.send(puzzle, digits)).status).toBe(405)
    expect(tones).toMatch(/^[1-5]{6}$/)
    const [, second] = await it.page()
    const sound = await fetch(`${it.url}/.well-known/merlon-captcha/sound?puzzle=${second}`, { headers: browser })
    expect([sound.status, sound.headers.get('content-type')]).toEqual([200, 'audio/wav'])
    expect(Buffer.from(await sound.arrayBuffer()).toString('latin1', 0, 4)).toBe('RIFF')
    expect((await it.send(second, it.read(second).tones)).status).toBe(303)
    // The token of a challenge is none of a puzzle, and no other place may be the page to return to.
    const [, third] = await it.page('/private//x')
    expect((await it.send(third, it.read(third).digits)).headers.get('location')).toBe('/private//x')
    const pageText = await (await it.send('forged', '1')).text()
    expect(pageText).toContain('That was not right')
  })

  test('lets an address answer wrongly ten times within five minutes', async () => {
    const it = await puzzled()
    for (let wrong = 0; wrong < 10; wrong++) {
      const [, puzzle] = await it.page()
      expect((await it.send(puzzle, '0')).status).toBe(405)
      // Right after a wrong answer is too late.
      if (wrong === 0) expect((await it.send(puzzle, it.read(puzzle).digits)).status).toBe(405)
      if (wrong === 8) break
    }
    const [, puzzle] = await it.page()
    expect((await it.send(puzzle, it.read(puzzle).digits)).status).toBe(429)
  })

  test('makes a hundred pictures and sounds an address within five minutes, then none', async () => {
    const it = await puzzled()
    const [, first] = await it.page()
    const sound = () => fetch(`${it.url}/.well-known/merlon-captcha/sound?puzzle=${first}`, { headers: browser })
    expect((await sound()).status).toBe(200)
    for (let made = 2; made < 100; made++) expect((await it.page())[1]).not.toBe('')
    expect(await it.page()).toEqual([405, ''])
    expect((await sound()).status).toBe(429)
    expect((await it.send(first, it.read(first).digits)).status).toBe(303)
  })
})

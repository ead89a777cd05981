/** The web ACL of a user pool filters its managed login, before anything of a request is read. */
import { createHash } from 'node:crypto'
import {
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  GetUserCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import * as Waf from '@aws-sdk/client-wafv2'
import { expect, test } from 'vitest'
import { Browser } from '../signin/browser.fixture.ts'
import { core, rule, startsWith, visibility, waf } from './wafv2.fixture.ts'

const HOST = 'people.auth.us-east-1.amazoncognito.com'
const SCRIPT = '/login?q=%3Cscript%3Ealert(1)%3C/script%3E'

async function world(Rules: Waf.Rule[], parts: Partial<Waf.CreateWebACLCommandInput> = {}) {
  const it = await waf()
  const cognito = it.client(CognitoIdentityProviderClient)
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: 'people' }))
  await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId: UserPool!.Id!, Domain: 'people' }))
  const acl = await it.webAcl('people', { Rules, ...parts })
  await it.waf.send(new Waf.AssociateWebACLCommand({ WebACLArn: acl.ARN!, ResourceArn: UserPool!.Arn! }))
  const update = async (changed: Waf.Rule[]) => {
    const { LockToken } = await it.get(acl.ARN!)
    const { Name = '', Id = '' } = acl
    await it.waf.send(
      new Waf.UpdateWebACLCommand({
        Name,
        Id,
        Scope: 'REGIONAL',
        LockToken: LockToken!,
        DefaultAction: { Allow: {} },
        VisibilityConfig: visibility('people'),
        Rules: changed,
      }),
    )
  }
  return { ...it, acl, update, pool: UserPool!, browser: new Browser(it, HOST) }
}

test('An attack is refused at the domain and below the origin of pages; counted instead, it passes', async () => {
  const { browser, update, ...it } = await world([rule('core', 0, core)])
  // No app: the page of an error. The web ACL lets it through.
  expect((await browser.open('/login')).status).toBe(400)
  expect(await browser.open(SCRIPT)).toMatchObject({ status: 403, text: expect.stringContaining('403 Forbidden') })
  expect((await new Browser(it).open(`/_cognito/us-east-1/people${SCRIPT}`)).status).toBe(403)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  expect((await browser.request('POST', '/login', 'username=%3Cscript%3Ealert(1)%3C/script%3E', form)).status).toBe(403)

  await update([rule('core', 0, core, { OverrideAction: { Count: {} } })])
  expect((await browser.open(SCRIPT)).status).toBe(400)
})

test('A custom response is sent as it was configured, and the request is sampled', async () => {
  const Action = {
    Block: {
      CustomResponse: {
        ResponseCode: 429,
        CustomResponseBodyKey: 'no',
        ResponseHeaders: [{ Name: 'X-Blocked', Value: '1' }],
      },
    },
  }
  const { browser, ...it } = await world([rule('login', 0, startsWith('/login'), { Action })], {
    CustomResponseBodies: { no: { ContentType: 'APPLICATION_JSON', Content: '{"error":"no"}' } },
  })
  expect(await browser.open('/login')).toMatchObject({
    status: 429,
    text: '{"error":"no"}',
    headers: { 'x-blocked': '1', 'content-type': 'application/json' },
  })
  await it.flush()
  const { SampledRequests } = await it.waf.send(
    new Waf.GetSampledRequestsCommand({
      WebAclArn: it.acl.ARN!,
      RuleMetricName: 'login',
      Scope: 'REGIONAL',
      MaxItems: 10,
      TimeWindow: { StartTime: new Date(it.clock.now() - 60_000), EndTime: new Date(it.clock.now() + 1) },
    }),
  )
  expect(SampledRequests).toEqual([
    expect.objectContaining({
      Action: 'BLOCK',
      ResponseCodeSent: 429,
      Request: expect.objectContaining({ URI: '/login' }),
    }),
  ])
})

test('Requests beyond a rate are refused, of one address alone', async () => {
  const rate: Waf.Statement = { RateBasedStatement: { Limit: 10, AggregateKeyType: 'IP', EvaluationWindowSec: 60 } }
  const { browser, ...it } = await world([rule('rate', 0, rate)])
  const statuses: number[] = []
  for (let n = 0; n < 11; n++) statuses.push((await browser.open('/login')).status)
  expect(statuses).toEqual([...Array(10).fill(400), 403])
  it.clock.advance(61_000)
  expect((await browser.open('/login')).status).toBe(400)
})

test('Operations without a signature are refused by the web ACL of their pool, by client or token; others are not filtered', async () => {
  const it = await world([rule('all', 0, startsWith('/'))])
  const cognito = it.client(CognitoIdentityProviderClient)
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({ UserPoolId: it.pool.Id!, ClientName: 'app' }),
  )
  const ClientId = UserPoolClient!.ClientId!
  const signUp = () => cognito.send(new SignUpCommand({ ClientId, Username: 'ana', Password: 'Example-Passw0rd' }))
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const AccessToken = `${part({ alg: 'RS256', kid: 'x' })}.${part({ client_id: ClientId })}.x`
  const blocked = { name: 'ForbiddenException', message: 'Request not allowed due to WAF block.' }

  await expect(signUp()).rejects.toMatchObject(blocked)
  await expect(cognito.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject(blocked)
  // Signed: the administrator is not a visitor.
  await cognito.send(new AdminCreateUserCommand({ UserPoolId: it.pool.Id!, Username: 'bob' }))
  await it.update([])
  await expect(cognito.send(new GetUserCommand({ AccessToken }))).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })
  await signUp()
})

test('Challenges are answered as AWS WAF does, and without an association nothing is filtered', async () => {
  const { browser, pool, ...it } = await world([rule('all', 0, startsWith('/'), { Action: { Challenge: {} } })])
  expect(await browser.open('/login')).toMatchObject({ status: 202, headers: { 'x-amzn-waf-action': 'challenge' } })
  await it.waf.send(new Waf.DisassociateWebACLCommand({ ResourceArn: pool.Arn! }))
  expect((await browser.open('/login')).status).toBe(400)
})

const PAGE = { accept: 'text/html,*/*' }

test('A browser solves the challenge of a pool at the host of its pages; its token is no one else’s', async () => {
  const { browser } = await world([rule('all', 0, startsWith('/'), { Action: { Challenge: {} } })])
  const page = await browser.request('GET', '/login', '', PAGE)
  expect([page.status, page.headers['content-security-policy']]).toEqual([
    202,
    expect.stringMatching(/^default-src 'none'; script-src 'nonce-[^']+'; connect-src 'self'; frame-ancestors 'none'$/),
  ])
  const [, challenge = '', bits = ''] = /data-challenge="([^"]+)" data-bits="(\d+)"/.exec(page.text) ?? []
  let solution = 0
  while (createHash('sha256').update(`${challenge}:${solution}`).digest().readUInt32BE() >>> (32 - Number(bits)) !== 0)
    solution++
  const send = (text: string) =>
    browser.request('POST', '/.well-known/merlon-challenge', JSON.stringify({ challenge, solution: text }), {
      'content-type': 'application/json',
    })
  expect((await send('1')).status).toBe(403)
  expect((await send(String(solution))).status).toBe(200)
  expect((await browser.open('/login')).status).toBe(400)
  expect((await browser.request('GET', '/login', '', { 'user-agent': 'other' })).status).toBe(202)
  expect((await send(String(solution))).status).toBe(403)
})

test('A CAPTCHA of a pool has its page there, with a picture, a sound and a form; a wrong answer gets another one', async () => {
  const { browser } = await world([rule('all', 0, startsWith('/'), { Action: { Captcha: {} } })])
  expect(await browser.open('/login')).toMatchObject({
    status: 405,
    text: '',
    headers: { 'x-amzn-waf-action': 'captcha' },
  })
  const page = await browser.request('GET', '/login', '', PAGE)
  expect([page.status, page.headers['content-type']]).toEqual([405, 'text/html; charset=UTF-8'])
  const [, puzzle = ''] = /name="puzzle" value="([^"]+)"/.exec(page.text) ?? []
  const sound = await browser.open(`/.well-known/merlon-captcha/sound?puzzle=${puzzle}`)
  expect([sound.status, sound.headers['content-type']]).toEqual([200, 'audio/wav'])
  const answer = await browser.request('POST', '/.well-known/merlon-captcha', `puzzle=${puzzle}&answer=0`, {
    ...PAGE,
    'content-type': 'application/x-www-form-urlencoded',
  })
  expect([answer.status, answer.text]).toEqual([405, expect.stringContaining('That was not right')])
})

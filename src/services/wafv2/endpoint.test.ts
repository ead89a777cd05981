/** The web ACL of Merlon's own endpoint filters every call, before anything looks at its signature. */
import { CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import * as Waf from '@aws-sdk/client-wafv2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { allowing, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { Browser } from '../signin/browser.fixture.ts'
import { ENDPOINT_ARN } from './endpoint.ts'
import { outcome, rule, visibility, waf } from './wafv2.fixture.ts'

const listing: Waf.Statement = {
  ByteMatchStatement: {
    SearchString: Buffer.from('Action=ListUsers'),
    FieldToMatch: { Body: { OversizeHandling: 'CONTINUE' } },
    TextTransformations: [{ Priority: 0, Type: 'NONE' }],
    PositionalConstraint: 'CONTAINS',
  },
}

async function protectedEndpoint(rules: Waf.Rule[], parts: Partial<Waf.CreateWebACLCommandInput> = {}) {
  const it = await waf()
  const acl = await it.webAcl('endpoint', { Rules: rules, ...parts })
  await it.waf.send(new Waf.AssociateWebACLCommand({ WebACLArn: acl.ARN!, ResourceArn: ENDPOINT_ARN }))
  const iam = (keys = it.root) => it.client(IAMClient, keys)
  return { ...it, acl, iam, list: (keys = it.root) => iam(keys).send(new ListUsersCommand({})) }
}

const FORBIDDEN = { name: 'ForbiddenException', $metadata: { httpStatusCode: 403 } }

test('What a rule blocks gets ForbiddenException, also with a wrong signature, and is sampled; other calls go on', async () => {
  const it = await protectedEndpoint([rule('listing', 0, listing)])
  await expect(it.list()).rejects.toMatchObject(FORBIDDEN)
  const wrong = { ...it.root, secretAccessKey: 'wrong' }
  await expect(it.list(wrong)).rejects.toMatchObject(FORBIDDEN)
  await expect(it.iam(wrong).send(new CreateUserCommand({ UserName: 'bob' }))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  })
  await it.iam().send(new CreateUserCommand({ UserName: 'bob' }))

  await it.flush()
  const { SampledRequests } = await it.waf.send(
    new Waf.GetSampledRequestsCommand({
      WebAclArn: it.acl.ARN!,
      RuleMetricName: 'listing',
      Scope: 'REGIONAL',
      MaxItems: 10,
      TimeWindow: { StartTime: new Date(it.clock.now() - 60_000), EndTime: new Date(it.clock.now() + 1) },
    }),
  )
  expect(SampledRequests?.map(({ Action }) => Action)).toEqual(['BLOCK', 'BLOCK'])

  await it.waf.send(new Waf.DisassociateWebACLCommand({ ResourceArn: ENDPOINT_ARN }))
  expect((await it.list()).Users).toHaveLength(1)
})

test('A custom response is sent as it was configured; pages of no other resource are filtered, too', async () => {
  const uri: Waf.Statement = {
    ...listing,
    ByteMatchStatement: {
      ...listing.ByteMatchStatement!,
      FieldToMatch: { UriPath: {} },
      SearchString: Buffer.from('/signin'),
    },
  }
  const Action = { Block: { CustomResponse: { ResponseCode: 418 } } }
  const it = await protectedEndpoint([rule('listing', 0, listing, { Action }), rule('pages', 1, uri, { Action })])
  await expect(it.list()).rejects.toMatchObject({ $metadata: { httpStatusCode: 418 } })
  expect((await new Browser(it).open('/signin')).status).toBe(418)
})

test('Challenges of the endpoint have a page for browsers, and none for calls', async () => {
  const it = await protectedEndpoint([], { DefaultAction: { Allow: {} } })
  const { LockToken, ...acl } = { ...it.acl, ...(await it.get(it.acl.ARN!)) }
  const everything: Waf.Statement = {
    ByteMatchStatement: {
      ...listing.ByteMatchStatement!,
      FieldToMatch: { UriPath: {} },
      SearchString: Buffer.from('/'),
    },
  }
  await it.waf.send(
    new Waf.UpdateWebACLCommand({
      Name: acl.Name!,
      Id: acl.Id!,
      Scope: 'REGIONAL',
      LockToken: LockToken!,
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility('endpoint'),
      Rules: [rule('people', 0, everything, { Action: { Challenge: {} } })],
    }),
  )
  // A status of 202 would be a success to clients.
  const message = 'Request not allowed due to WAF challenge.'
  await expect(it.list()).rejects.toMatchObject({ ...FORBIDDEN, message })
  const browser = new Browser(it)
  const page = await browser.request('GET', '/signin', '', { accept: 'text/html' })
  expect([page.status, page.text]).toEqual([202, expect.stringContaining('Checking your browser')])
  // The page that takes the solution is not challenged itself.
  const solved = await browser.request('POST', '/.well-known/merlon-challenge', '{}', {})
  expect([solved.status, solved.text]).toEqual([403, 'The solution is wrong, late, or not of this client.\n'])
})

test('Only the first account protects the endpoint, with the permission for it', async () => {
  const it = await waf()
  const ann = await it.user('ann', allowing({ Action: ['wafv2:CreateWebACL'], Resource: '*' }))
  const acl = await it.webAcl('endpoint', {})
  const associate = (client: Waf.WAFV2Client, WebACLArn: string) =>
    outcome(client.send(new Waf.AssociateWebACLCommand({ WebACLArn, ResourceArn: ENDPOINT_ARN })))
  expect(await associate(it.client(Waf.WAFV2Client, ann), acl.ARN!)).toBe('AccessDeniedException')

  const other = await it.addAccount({ id: OTHER_ACCOUNT, name: 'other' })
  const theirs = it.client(Waf.WAFV2Client, other)
  const { Summary } = await theirs.send(
    new Waf.CreateWebACLCommand({
      Name: 'theirs',
      Scope: 'REGIONAL',
      DefaultAction: { Block: {} },
      VisibilityConfig: visibility('theirs'),
    }),
  )
  expect(await associate(theirs, Summary!.ARN!)).not.toBe('done')
  const blocked = await it.webAcl('blocked', { DefaultAction: { Block: {} } })
  expect(await associate(it.waf, blocked.ARN!)).toBe('done')
  expect(await outcome(it.waf.send(new Waf.ListWebACLsCommand({ Scope: 'REGIONAL' })))).toBe('ForbiddenException')
})

test('An operator who was kept out starts the server without the web ACL', async () => {
  vi.stubEnv('MERLON_ENDPOINT_WEB_ACL', 'off')
  onTestFinished(() => void vi.unstubAllEnvs())
  const it = await protectedEndpoint([], { DefaultAction: { Block: {} } })
  expect((await it.list()).Users).toEqual([])
})

test('A network that has had its share of evaluations is refused with 429 until it has steps again', async () => {
  const sql: Waf.Statement = {
    SqliMatchStatement: {
      FieldToMatch: { Body: { OversizeHandling: 'CONTINUE' } },
      TextTransformations: [{ Priority: 0, Type: 'NONE' }],
    },
  }
  const it = await protectedEndpoint(Array.from({ length: 15 }, (_, at) => rule(`sql${at}`, at, sql)))
  // Steps come back with time: on a busy machine as fast as they are spent.
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  // 24 steps a character and rule, of a body of 16 KB.
  const spend = () =>
    it
      .iam()
      .send(new CreateUserCommand({ UserName: 'a', Path: `/${'a'.repeat(16_000)}/` }))
      .catch((error) => error.$metadata?.httpStatusCode)
  const statuses = [await spend()]
  while (statuses.length < 100 && statuses.at(-1) !== 429) statuses.push(await spend())
  expect([statuses.at(-1), statuses.length > 20, new Set(statuses.slice(0, -1))]).toEqual([429, true, new Set([400])])
  it.clock.advance(1_000)
  expect(await spend()).toBe(400)
})

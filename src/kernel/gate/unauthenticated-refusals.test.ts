/** How much unauthenticated callers can make the audit log grow, and what it still says of them. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ACCOUNT, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import type { Gate } from './gate.ts'
import {
  networkOf,
  REFUSAL_BYTES_A_MINUTE,
  type RefusalCount,
  type RefusalKind,
  UnauthenticatedRefusals,
} from './unauthenticated-refusals.ts'

const kind = (more: Partial<RefusalKind> = {}): RefusalKind => ({
  account: '',
  region: 'us-east-1',
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRoleWithSAML',
  errorCode: 'InvalidIdentityTokenException',
  resource: undefined,
  remoteAddress: '203.0.113.7',
  ...more,
})

describe('the first refusal of a kind and network in a minute', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('has an event, the rest a number when the minute is over', async () => {
    const reported: RefusalCount[] = []
    const refusals = new UnauthenticatedRefusals(async (count) => void reported.push(count))

    expect(refusals.admit(kind(), 5)).toBe(true)
    for (let i = 1; i <= 200; i++) expect(refusals.admit(kind({ remoteAddress: `203.0.113.${i}` }), 6)).toBe(false)
    expect(refusals.admit(kind({ errorCode: 'AccessDenied' }), 6)).toBe(true)
    expect(refusals.admit(kind({ remoteAddress: '203.0.114.7' }), 6)).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)

    expect(reported).toEqual([
      {
        account: '',
        region: 'us-east-1',
        eventSource: 'sts.amazonaws.com',
        eventName: 'AssumeRoleWithSAML',
        errorCode: 'InvalidIdentityTokenException',
        network: '203.0.113.0/24',
        since: 5,
        calls: 200,
      },
    ])
    expect(refusals.admit(kind(), 60_005)).toBe(true)
  })

  test('beyond the budget is counted with all others', async () => {
    const reported: RefusalCount[] = []
    const refusals = new UnauthenticatedRefusals(async (count) => void reported.push(count))

    const admitted = Array.from({ length: 1_000 }, (_each, i) =>
      refusals.admit(kind({ remoteAddress: `10.${i >> 8}.${i & 255}.1` }), 5),
    ).filter(Boolean)
    await refusals.close()

    expect(admitted.length).toBeGreaterThan(50)
    expect(reported).toMatchObject([{ network: '', eventName: '', calls: 1_000 - admitted.length }])
  })
})

test.each([
  ['203.0.113.9', '203.0.113.0/24'],
  ['::ffff:203.0.113.9', '203.0.113.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['2001:0DB8:0001::1', '2001:db8:1::/48'],
  ['::1', '0:0:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0::/48'],
  ['', 'unknown'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

/** A sign-in as a client without an account sends it. */
function signIn(gate: Gate, members: Readonly<Record<string, string>>, remoteAddress: string, userAgent = 'attacker') {
  return gate.handle({
    method: 'POST',
    path: '/',
    query: '',
    rawHeaders: [
      ...['Host', 'localhost', 'User-Agent', userAgent],
      ...['Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', '1'],
    ],
    body: Buffer.from(new URLSearchParams({ Version: '2011-06-15', ...members }).toString()),
    remoteAddress,
    secure: false,
  })
}

const webIdentity = (more: Readonly<Record<string, string>> = {}) => ({
  Action: 'AssumeRoleWithWebIdentity',
  RoleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`,
  RoleSessionName: 'ci',
  WebIdentityToken: `eyJTOKEN${'a'.repeat(4_000)}.b.c`,
  ...more,
})

const saml = (more: Readonly<Record<string, string>> = {}) => ({
  Action: 'AssumeRoleWithSAML',
  RoleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`,
  PrincipalArn: `arn:aws:iam::${ACCOUNT}:saml-provider/none`,
  SAMLAssertion: `eyJTOKEN${'b'.repeat(9_000)}`,
  ...more,
})

type Cloud = Awaited<ReturnType<typeof cloud>>

async function recorded({ store }: Cloud) {
  const all = await Promise.all(['', ACCOUNT, OTHER_ACCOUNT].map((account) => store.log({ account, limit: 10_000 })))
  return all.flat()
}

const bytesOf = (records: Awaited<ReturnType<typeof recorded>>): number =>
  records.reduce((sum, { body, attributes }) => sum + Buffer.byteLength(body + JSON.stringify(attributes)), 0)

test('a flood of refused sign-ins from many networks grows the log by the budget of a minute at most', async () => {
  const it = await cloud()
  const before = await recorded(it)
  const wide = '\u0085"\\\u20ac'.repeat(500)
  for (let i = 0; i < 600; i++) {
    const address = `10.${i >> 8}.${i & 255}.1`
    const more = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${wide}${i}`, Policy: wide, RoleSessionName: wide }
    await signIn(it.gate, i % 2 === 0 ? webIdentity(more) : saml(more), address, `agent ${wide}`)
  }
  await it.gate.close()

  const grown = (await recorded(it)).slice(before.length)
  expect(bytesOf(await recorded(it)) - bytesOf(before)).toBeLessThanOrEqual(REFUSAL_BYTES_A_MINUTE)
  expect(grown.length).toBeGreaterThan(50)
  expect(JSON.stringify(grown)).not.toMatch(/TOKEN|aaaaaaaa|bbbbbbbb/)
})

test('a refused sign-in is recorded small, without its token, and those that follow as a number', async () => {
  const it = await cloud()
  const long = 'x'.repeat(2_000)
  for (let i = 0; i < 50; i++) await signIn(it.gate, webIdentity({ Policy: long, ProviderId: long }), '192.0.2.1', long)
  await it.gate.close()

  const events = (await recorded(it)).map(({ body }) => JSON.parse(body))
  const refused = events.filter(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
  expect(refused).toHaveLength(1)
  expect(refused[0]).toMatchObject({
    sourceIPAddress: '192.0.2.1',
    requestParameters: { roleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`, roleSessionName: 'ci' },
  })
  expect(JSON.stringify(refused[0]).length).toBeLessThan(2_000)
  const counts = events.filter(({ eventName }) => eventName === 'RefusedCalls')
  expect(counts).toMatchObject([
    {
      eventSource: 'merlon.local',
      serviceEventDetails: { eventName: 'AssumeRoleWithWebIdentity', network: '192.0.2.0/24', calls: 49 },
    },
  ])
})

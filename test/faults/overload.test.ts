/**
 * Far more than a server can do, for some seconds, from another process: one user's signed calls, forged signatures, and
 * bodies that are begun and never finished. What was promised holds all the while, and good clients are served when it
 * is over. Bounds are on counts and on memory, not on speed: the machine may be slow.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { ApiError, Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { sign } from '../../src/wire/sigv4/index.ts'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'

const MIB = 1024 * 1024
const SECONDS_MIN = 5
/** What one user may do, on any machine that can do ten times as much. */
const PER_SECOND = 10
const BURST = 50
const TIMES = 10
const BODIES_MIB = 8
const STALLED = { connections: 150, bytes: 5 * MIB }
/**
 * Idle it takes about 100 MiB, twice that after any load, and on top what bodies may take, twice while they are gathered.
 * The flood brings 750 MiB at a time of bodies: without a bound this would be far exceeded.
 */
const RESIDENT_BYTES_MAX = (320 + 2 * BODIES_MIB) * MIB

interface Count {
  readonly sent: number
  /** Whose connection ended before their answer. */
  readonly unanswered: number
  readonly statuses: Readonly<Record<string, number>>
}
type Told = Readonly<Record<'signed' | 'forged' | 'stalled', Count>>

let server: Running | undefined
afterAll(async () => {
  await server?.stop('SIGKILL')
})

test('ten times the allowed rate is refused and forgotten: memory is bounded, health answers, good clients go on', async () => {
  const data = join(temporaryFolder(), 'data')
  const limits = `principal=${PER_SECOND}:${BURST},requests=256,bodies=${BODIES_MIB}`
  server = await startMerlon(['--data', data, '--limits', limits])
  const { url } = server
  const [root] = server.accounts
  const keys = {
    root: { accessKeyId: root!.accessKeyId, secret: root!.secretAccessKey },
    flood: await user('flood'),
    good: await user('good'),
  }
  const good = new Client({ credential: keys.good, transport: overHttp(url) })

  // A machine that is busy with other things is not to be taken for a server that is.
  let slowestMs = 0
  for (let i = 0; i < 10; i++) {
    const askedAt = performance.now()
    await served(good)
    slowestMs = Math.max(slowestMs, performance.now() - askedAt)
  }
  const recoveryMsMax = 1_000 + 20 * slowestMs

  const flood = fork(fileURLToPath(new URL('./overload.flood.mjs', import.meta.url)))
  const startedAt = performance.now()
  flood.send({
    url,
    floods: [
      { name: 'signed', connections: 200, request: identity(keys.flood) },
      { name: 'forged', connections: 100, request: identity({ ...keys.flood, secret: 'guessed' }) },
      { name: 'stalled', connections: STALLED.connections, request: begun(keys.flood), stallsAt: STALLED.bytes },
    ],
  })
  const watched = { answers: 0, residentMax: 0, goodAnswers: 0 }
  const throttled = () => metric('merlon_throttled_total{scope="principal"}')
  const enough = async () =>
    performance.now() - startedAt > SECONDS_MIN * 1000 &&
    (await metric('merlon_refused_total{reason="bodies"}')) > 0 &&
    (await throttled()) > (TIMES * (BURST + PER_SECOND * (performance.now() - startedAt))) / 1000
  while (!(await enough())) {
    const health = await fetch(`${url}/health`)
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }])
    watched.answers++
    watched.residentMax = Math.max(watched.residentMax, await metric('process_resident_memory_bytes'))
    if (await served(good)) watched.goodAnswers++
  }
  flood.send('stop')
  const [told] = (await once(flood, 'message')) as [Told]
  const endedAt = performance.now()

  // Good clients are served again within a second; on an idle machine it takes some milliseconds.
  while (!(await served(good))) expect(performance.now() - endedAt).toBeLessThan(recoveryMsMax)
  expect(performance.now() - endedAt).toBeLessThan(recoveryMsMax)
  expect(watched.residentMax).toBeLessThan(RESIDENT_BYTES_MAX)
  expect(watched.answers).toBeGreaterThan(5)
  expect(watched.goodAnswers).toBeGreaterThan(0)

  const { signed, forged, stalled } = told
  const answered = signed.statuses['200'] ?? 0
  const allowed = BURST + (PER_SECOND * (endedAt - startedAt)) / 1000
  expect(answered).toBeGreaterThanOrEqual(BURST)
  expect(answered).toBeLessThanOrEqual(allowed)
  // Forged ones claim to be the same user.
  expect(signed.sent + forged.sent).toBeGreaterThan(TIMES * answered)
  expect(Object.keys(signed.statuses).filter((status) => !['200', '400', '503'].includes(status))).toEqual([])
  expect(Object.keys(forged.statuses).filter((status) => !['400', '403', '503'].includes(status))).toEqual([])
  expect(Object.keys(stalled.statuses).filter((status) => !['408', '503'].includes(status))).toEqual([])
  // A connection that is closed while its body still comes may break before the answer is read.
  expect(await metric('merlon_refused_total{reason="bodies"}')).toBeGreaterThan(0)

  // Every call that ran is recorded, and of those that did not a handful, whatever their number.
  await server.stop()
  server = await startMerlon(['--data', data])
  const { url: again } = server
  const events = await history(new Client({ credential: keys.root, transport: overHttp(again) }), 'flood')
  const ran = events.filter(({ errorCode }) => errorCode === undefined)
  expect(ran.length).toBeGreaterThanOrEqual(answered)
  expect(ran.length).toBeLessThanOrEqual(answered + signed.unanswered)
  const minutes = Math.ceil((endedAt - startedAt) / 60_000)
  const refused = events.filter(({ errorCode }) => errorCode === 'ThrottlingException')
  expect(refused.length).toBeGreaterThanOrEqual(1)
  expect(refused.length).toBeLessThanOrEqual(minutes + 1)

  async function user(UserName: string) {
    const asRoot = new Client({
      credential: { accessKeyId: root!.accessKeyId, secret: root!.secretAccessKey },
      transport: overHttp(url),
    })
    await asRoot.query('iam', 'CreateUser', { UserName })
    const made = await asRoot.query('iam', 'CreateAccessKey', { UserName })
    return { accessKeyId: element(made, 'AccessKeyId')!, secret: element(made, 'SecretAccessKey')! }
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text()
    const line = text.split('\n').find((each) => each.startsWith(`${name} `))
    return Number(line!.slice(name.length + 1))
  }

  function identity(credential: { accessKeyId: string; secret: string }): string {
    return written(credential, 'Action=GetCallerIdentity&Version=2011-06-15', undefined)
  }

  /** A head that announces more than will ever come. */
  function begun(credential: { accessKeyId: string; secret: string }): string {
    return written(credential, '', 6 * MIB)
  }

  function written(credential: { accessKeyId: string; secret: string }, body: string, announced: number | undefined) {
    const { host } = new URL(url)
    const request = {
      method: 'POST',
      path: '/',
      query: '',
      rawHeaders: ['Host', host, 'Content-Type', 'application/x-www-form-urlencoded'],
      body: Buffer.from(body),
    }
    const { rawHeaders } = sign(request, credential, { region: 'us-east-1', service: 'sts', nowMs: Date.now() })
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
    return `POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\nContent-Length: ${announced ?? body.length}\r\n\r\n${body}`
  }
})

/** Whether a call is answered; a request to retry later is no failure. */
async function served(client: Client): Promise<boolean> {
  try {
    return (await client.query('sts', 'GetCallerIdentity')).includes(':user/good')
  } catch (error) {
    if (error instanceof ApiError && ['ServiceUnavailable', 'Throttling'].includes(error.code)) return false
    throw error
  }
}

async function history(client: Client, username: string): Promise<{ readonly errorCode?: string }[]> {
  const all: { readonly errorCode?: string }[] = []
  let token: string | undefined
  do {
    const page: { Events: { CloudTrailEvent: string }[]; NextToken?: string } = await client.json(
      'cloudtrail',
      'CloudTrail_20131101.LookupEvents',
      {
        LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: username }],
        MaxResults: 50,
        ...(token && { NextToken: token }),
      },
    )
    all.push(...page.Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent)))
    token = page.NextToken
  } while (token)
  return all
}

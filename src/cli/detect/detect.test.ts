/** `merlon detect`: kinds of files, options, and what it writes. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { type Call, DAY, record, roleIdentity } from '../../engines/detect/detect.fixture.ts'
import { UsageError } from '../command.ts'
import { detect } from '../detect.ts'

let folder = ''
let [output, errors] = ['', '']
beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((output += text)) || true)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((errors += text)) || true)
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-detect-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  output = ''
  errors = ''
})
afterAll(() => vi.restoreAllMocks())

function file(name: string, content: string | Buffer | object): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  return path
}

interface Line {
  readonly type: string
  readonly eventIds: readonly string[]
  readonly count: number
  readonly severity: number
}
async function found(...words: readonly string[]): Promise<readonly Line[]> {
  expect(await detect.run(['--files', join(folder, 'logs'), '--json', ...words])).toBe(0)
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
const types = (lines: readonly Line[]) => lines.map(({ type }) => type)

const TRAIL = 'Stealth:IAMUser/CloudTrailLoggingDisabled'
const stop = (call: Call = {}) => record('cloudtrail:StopLogging', call)
const DNS = (i: number) => ({
  query_timestamp: new Date(Date.UTC(2026, 2, 2, 9, 0, i)).toISOString(),
  query_name: `${createHash('sha256').update(`${i}`).digest('base64url').toLowerCase()}.t.evil.example.`,
  query_type: 'TXT',
  rcode: 'NOERROR',
  answers: [],
  account_id: '111122223333',
  region: 'eu-west-1',
  vpc_id: 'vpc-1',
  srcaddr: '10.0.0.5',
  srcport: '1',
  transport: 'UDP',
  srcids: { instance: 'i-1' },
})
const FLOW = (i: number) =>
  `2 111122223333 eni-1 10.0.0.5 203.0.113.9 40000 ${i + 1} 6 1 44 1772442000 1772442010 REJECT OK`

test('CloudTrail, flow and resolver logs are recognized in nested directories, packed or not', async () => {
  file('logs/AWSLogs/a_CloudTrail_eu-west-1_20260302T0900Z_x.json.gz', gzipSync(JSON.stringify({ Records: [stop()] })))
  file('logs/flows/f.log.gz', gzipSync(Array.from({ length: 60 }, (_, i) => FLOW(i)).join('\n')))
  file('logs/dns/d.log', Array.from({ length: 60 }, (_, i) => JSON.stringify(DNS(i))).join('\n'))
  file('logs/readme.md', 'no log')
  file('logs/AWSLogs/CloudTrail-Digest/d.json.gz', gzipSync('{"awsAccountId":"111122223333"}'))

  expect(types(await found()).sort()).toEqual(['Recon:EC2/Portscan', TRAIL, 'Trojan:EC2/DNSDataExfiltration'])
  expect(errors).toContain('121 events in 3 files, 3 findings')
})

test.each([
  ['an object of records', (records: object[]) => JSON.stringify({ Records: records })],
  ['an array', (records: object[]) => JSON.stringify(records)],
  ['one record a line', (records: object[]) => records.map((each) => JSON.stringify(each)).join('\n')],
  [
    'an event of EventBridge',
    (records: object[]) => JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: records[0] }),
  ],
])('A CloudTrail file may be %s', async (_form, write) => {
  const event = stop()
  file('logs/a.json', write([event]))

  expect(await found('--disable', 'anomalous-behavior')).toMatchObject([
    { type: TRAIL, eventIds: [event.eventID], count: 1 },
  ])
})

test('Calls of the same finding are one line with the IDs of their events', async () => {
  const events = [stop({ at: 0 }), stop({ at: 5_000 })]
  file('logs/b.json', { Records: [events[1]] })
  file('logs/a.json', { Records: [events[0]] })

  expect(await found('--disable', 'anomalous-behavior')).toMatchObject([
    { count: 2, eventIds: events.map(({ eventID }) => eventID) },
  ])
})

test('What is learned from a baseline is not reported', async () => {
  const call = (at: number) => record('iam:CreateAccessKey', { at, user: 'provisioner', userAgent: 'provisioner/1.0' })
  file('logs/a.json', { Records: [call(30 * DAY)] })
  file('baseline/a.json', { Records: Array.from({ length: 200 }, (_, i) => call(i * 3_600_000)) })

  expect(types(await found())).toEqual(['Persistence:IAMUser/AnomalousBehavior'])
  output = ''
  expect(await found('--baseline', join(folder, 'baseline'))).toEqual([])
})

test('Instances, lists and rules come out of files', async () => {
  const identity = roleIdentity('web', 'i-0123456789abcdef0')
  file('logs/a.json', { Records: [record('s3:ListBuckets', { identity, address: '203.0.113.9' })] })
  const instances = file('i.json', {
    Reservations: [
      { OwnerId: '111122223333', Instances: [{ InstanceId: 'i-0123456789abcdef0', PrivateIpAddress: '10.0.0.5' }] },
    ],
  })
  const list = file('tor.txt', '203.0.113.0/24\n')
  file(
    'rules/r.yml',
    'title: Buckets\nlogsource: {product: aws}\ndetection: {s: {eventName: ListBuckets}, condition: s}\n',
  )

  const lines = await found('--instances', instances, '--threat-list', `tor=${list}`, '--rules', join(folder, 'rules'))
  expect(types(lines).sort()).toEqual([
    'Custom:IAMUser/Buckets',
    'Recon:IAMUser/TorIPCaller',
    'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS',
  ])
  output = ''
  expect(await found('--instances', instances, '--trusted-list', list)).toEqual([])
})

test('For people it writes text without control characters, and fails on a severity if told to', async () => {
  file('logs/a.json', { Records: [stop({ user: 'a\u001b[31m\u202eb' })] })

  expect(await detect.run(['--files', join(folder, 'logs'), '--fail-on', '7'])).toBe(0)
  expect(output).toContain(`LOW      ${TRAIL}`)
  expect(output).not.toContain('\u001b')
  expect(output).not.toContain('\u202e')
  expect(await detect.run(['--files', join(folder, 'logs'), '--fail-on', '2'])).toBe(1)
})

test('A file that is no log is named, one that is broken too', async () => {
  file('logs/odd.json', '{"hello": "world"}')
  expect(await found()).toEqual([])
  expect(errors).toContain('odd.json: no events were recognized')

  file('logs/broken.json.gz', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]))
  file('logs/later.json', [stop()])
  expect(await detect.run(['--files', join(folder, 'logs')])).toBe(2)
  expect(errors).toContain('broken.json.gz: cannot be unpacked')
  expect(output).toContain(TRAIL)
})

test('What is missing on the command line is said', async () => {
  await expect(detect.run([])).rejects.toThrow(UsageError)
  await expect(detect.run(['--files', 'x', '--min-severity', 'high'])).rejects.toThrow(
    '--min-severity must be a number',
  )
  expect(await detect.run(['--files', join(folder, 'nowhere')])).toBe(2)
  expect(errors).toContain('nowhere: there is no such directory or file.')
  file('logs/a.json', [])
  expect(await detect.run(['--files', join(folder, 'logs'), '--rules', file('r.yml', 'title: x')])).toBe(2)
  expect(errors).toContain('r.yml: The rule has no detection.')
})

test('A bucket is read as a directory is: without digests, with the keys of the environment', async () => {
  const it = await cloud()
  const s3 = it.client(S3Client)
  const at = (day: number) => `AWSLogs/1/CloudTrail/x_202603${day}T1145Z_a.json.gz`
  const log = (call: Call) => gzipSync(JSON.stringify({ Records: [stop(call)] }))
  await s3.send(new CreateBucketCommand({ Bucket: 'logs' }))
  const objects = {
    [at(12)]: log({ at: DAY }),
    [at(11)]: log({}),
    'AWSLogs/1/CloudTrail-Digest/y.json.gz': gzipSync('not JSON'),
    'AWSLogs/../../../evil.json': Buffer.from('[]'),
    'other/z.json.gz': log({}),
  }
  for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket: 'logs', Key, Body }))
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url!, 'http://x')
    const { rawHeaders } = request
    const [path, query] = [pathname, search.slice(1)]
    const common = { method: request.method!, path, query, rawHeaders, body: Buffer.alloc(0) }
    const answer = await it.handle({ ...common, remoteAddress: '127.0.0.1', secure: false })
    response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(Buffer.from(answer.body as Uint8Array))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const bucket = (prefix: string) => `s3://logs/${prefix}?endpoint=http://127.0.0.1:${port}`
  vi.stubEnv('AWS_ACCESS_KEY_ID', it.root.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', it.root.secretAccessKey)
  onTestFinished(() => void vi.unstubAllEnvs())

  // A key that no URL can name hides nothing in the others.
  expect(await detect.run(['--files', bucket('AWSLogs'), '--json'])).toBe(2)
  expect(errors).toContain('evil.json cannot be read')
  expect(errors).toContain('2 events in 3 files')
  expect(output).toContain(TRAIL)

  expect(await detect.run(['--files', 's3://elsewhere/?endpoint=http://127.0.0.1:1'])).toBe(2)
  expect(errors).toContain('s3://elsewhere/ cannot be read')
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
  expect(await detect.run(['--files', bucket('AWSLogs')])).toBe(2)
  expect(errors).toContain('AWS_ACCESS_KEY_ID')
})

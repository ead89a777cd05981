/**
 * `node bench/finding-latency.mjs [CALLS] [EVERY_MS]`: how soon a call of the API is a finding. Opens CALLS buckets (default 200),
 * one each EVERY_MS (default 50), and looks which have findings until all have. Prints one JSON line: the median, the 95th percentile
 * and the largest time from the answer to the call until ListFindings shows its finding, in milliseconds. Needs `npm run build`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as gd from '@aws-sdk/client-guardduty'
import { CreateBucketCommand, DeletePublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3'

const [calls = 200, everyMs = 50] = process.argv.slice(2).map(Number)
const TYPE = 'Policy:S3/BucketBlockPublicAccessDisabled'

const merlon = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))
const server = spawn(process.execPath, [merlon, 'start', '--dev', '--json', '--port', '0', '--log', 'error'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.on('exit', () => server.kill('SIGKILL'))
const [line] = await once(createInterface({ input: server.stdout }), 'line')
const { url, accounts } = JSON.parse(line)
const [{ accessKeyId, secretAccessKey }] = accounts
const settings = { endpoint: url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } }
const s3 = new S3Client({ ...settings, forcePathStyle: true })
const guardduty = new gd.GuardDutyClient(settings)
const { DetectorId } = await guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))

const names = Array.from({ length: calls }, (_, i) => `opened-${String(i).padStart(5, '0')}`)
for (const Bucket of names) await s3.send(new CreateBucketCommand({ Bucket }))

const calledAt = new Map()
const found = new Map()
const watch = (async () => {
  const seen = new Set()
  const FindingCriteria = { Criterion: { type: { Equals: [TYPE] } } }
  while (found.size < calls) {
    const fresh = []
    for await (const page of gd.paginateListFindings({ client: guardduty }, { DetectorId, FindingCriteria }))
      fresh.push(...page.FindingIds.filter((id) => !seen.has(id)))
    const at = performance.now()
    for (let from = 0; from < fresh.length; from += 50) {
      const FindingIds = fresh.slice(from, from + 50)
      const { Findings } = await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))
      for (const { Resource } of Findings) found.set(Resource.S3BucketDetails[0].Name, at)
    }
    for (const id of fresh) seen.add(id)
    await wait(100)
  }
})()
for (const Bucket of names) {
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
  calledAt.set(Bucket, performance.now())
  await wait(everyMs)
}
await watch
const times = names.map((name) => Math.max(0, found.get(name) - calledAt.get(name))).sort((a, b) => a - b)
const of = (part) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))])
process.stdout.write(
  `${JSON.stringify({ measured: 'call to finding', calls, medianMs: of(0.5), p95Ms: of(0.95), mostMs: of(1) })}\n`,
)
process.exit()

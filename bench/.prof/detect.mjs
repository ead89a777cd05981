/**
 * `node bench/detect.mjs [RECORDS] [PRINCIPALS]`: what the detection engine does on one core. Prints one JSON line each for
 * - gzipped CloudTrail files of RECORDS (default 200,000) records in all, unpacked, parsed, normalized and looked at by all rules
 *   without baselines and 100 rules of the operator; with 1,000; and with baselines, too;
 * - the memory of the process with baselines of PRINCIPALS (default 100,000) principals.
 * Bundles the engine itself, so it needs no build, and measures it in processes without the bundler. RECORDS 0 measures memory
 * alone. Run it on an idle machine: neighbours take the processor's caches.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const [records = 200_000, principals = 100_000] = process.argv.slice(2).map(Number)
const RECORDS_PER_FILE = 5_000

const built = process.env.MERLON_BENCH_ENGINE
if (built === undefined) {
  await bundleAndMeasure()
  process.exit()
}
const engine = await import(pathToFileURL(built).href)

async function bundleAndMeasure() {
  const { rolldown } = await import('rolldown')
  const source = (path) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-detect-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const entry = join(folder, 'entry.ts')
  const file = join(folder, 'engine.mjs')
  writeFileSync(
    entry,
    [
      `export { createDetector } from '${source('engines/detect/detector.ts')}'`,
      `export { wholeEvents } from '${source('cli/detect/log-files.ts')}'`,
      `export { normalizeCloudTrail } from '${source('engines/detect/normalize/cloudtrail.ts')}'`,
      `export { parseOperatorRules } from '${source('engines/detect/operator-rules/rules.ts')}'`,
      `export { exposureOf } from '${source('policy/exposure.ts')}'`,
    ].join('\n'),
  )
  const bundle = await rolldown({ input: entry, platform: 'node', cwd: fileURLToPath(new URL('..', import.meta.url)) })
  await bundle.write({ file, format: 'esm' })
  const options = ['--expose-gc', ...process.execArgv.filter((each) => each !== '--expose-gc')]
  const measure = (...args) =>
    spawnSync(process.execPath, [...options, fileURLToPath(import.meta.url), ...args.map(String)], {
      stdio: 'inherit',
      env: { ...process.env, MERLON_BENCH_ENGINE: file },
    })
  if (records > 0) measure(records, 0)
  if (principals > 0) measure(0, principals)
}

const APIS = [
  ['ec2', 'DescribeInstances'],
  ['s3', 'GetBucketLocation'],
  ['sts', 'AssumeRole'],
  ['kms', 'Decrypt'],
  ['logs', 'DescribeLogGroups'],
  ['iam', 'GetRole'],
  ['ssm', 'GetParameter'],
  ['dynamodb', 'DescribeTable'],
  ['lambda', 'UpdateFunctionCode20150331v2'],
  ['iam', 'CreateAccessKey'],
]
const AGENTS = ['aws-cli/2.15.0 Python/3.11', 'Boto3/1.34.1 md/Botocore#1.34.1', 'APN/1.0 HashiCorp/1.0 Terraform/1.7']
const START = Date.UTC(2026, 0, 1)

/** As long as real records: about 1.3 KB. */
function record(index, principal) {
  const [service, name] = APIS[index % APIS.length]
  const role = `role-${principal % 1_000}`
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      principalId: `AROA${principal}:session-${principal}`,
      arn: `arn:aws:sts::111122223333:assumed-role/${role}/session-${principal}`,
      accountId: '111122223333',
      accessKeyId: `ASIA${principal}`,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: `AROA${principal}`,
          arn: `arn:aws:iam::111122223333:role/${role}`,
          accountId: '111122223333',
          userName: role,
        },
        attributes: { creationDate: '2026-01-01T00:00:00Z', mfaAuthenticated: 'false' },
      },
    },
    eventTime: new Date(START + index * 100).toISOString(),
    eventSource: `${service}.amazonaws.com`,
    eventName: name,
    awsRegion: 'eu-west-1',
    sourceIPAddress: `198.51.${principal % 200}.${principal % 250}`,
    userAgent: AGENTS[principal % AGENTS.length],
    requestParameters: {
      name: `resource-${index % 500}`,
      filterSet: { items: [{ name: 'tag:env', valueSet: { items: [{ value: 'prod' }] } }] },
    },
    responseElements: null,
    requestID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    eventID: `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    readOnly: true,
    resources: [{ accountId: '111122223333', type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::bucket-${index % 100}` }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '111122223333',
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: `${service}.eu-west-1.amazonaws.com`,
    },
  }
}

const rules = (count) =>
  Array.from({ length: count }, (_, i) =>
    engine.parseOperatorRules(
      `title: Rule ${i}\nlogsource: { product: aws, service: cloudtrail }\ndetection:\n  selection: { eventSource: service${i}.amazonaws.com, eventName: [Create${i}, ${APIS[i % APIS.length][1]}] }\n  filter: { userAgent|contains: 'nothing-${i}', userIdentity.arn|endswith: ':user/u${i}' }\n  condition: selection and not filter\n`,
    ),
  ).flat()

const files = Array.from({ length: Math.ceil(records / RECORDS_PER_FILE) }, (_, file) =>
  gzipSync(
    JSON.stringify({
      Records: Array.from({ length: RECORDS_PER_FILE }, (_, i) =>
        record(file * RECORDS_PER_FILE + i, (file * RECORDS_PER_FILE + i) % 2_000),
      ),
    }),
  ),
)

function throughput(name, configuration) {
  const detector = engine.createDetector({
    publicAccess: engine.exposureOf,
    latenessMs: 15 * 60_000,
    tracksChanges: false,
    ...configuration,
  })
  let [count, findings] = [0, 0]
  const startedAt = process.cpuUsage()
  for (const file of files) {
    for (const events of engine.wholeEvents(gunzipSync(file), () => {})) {
      for (const event of events) findings += detector.ingest(event).length
      count += events.length
    }
  }
  // Of the processor, not of the clock: other processes take none of it.
  const { user, system } = process.cpuUsage(startedAt)
  const seconds = (user + system) / 1e6
  const line = {
    measured: name,
    records: count,
    recordsPerSecond: Math.round(count / seconds),
    microseconds: Math.round((seconds / count) * 1e7) / 10,
    findings,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const withoutBaselines = { disabledRules: ['anomalous-behavior'] }
if (records > 0) {
  throughput('100 rules, once to warm up', { ...withoutBaselines, operatorRules: rules(100) })
  throughput('100 rules', { ...withoutBaselines, operatorRules: rules(100) })
  throughput('1,000 rules', { ...withoutBaselines, operatorRules: rules(1_000) })
  throughput('100 rules and baselines', { operatorRules: rules(100) })
}

if (principals > 0) {
  const detector = engine.createDetector({ publicAccess: engine.exposureOf, tracksChanges: false })
  for (let i = 0; i < principals * 4; i++) {
    // A record as a parser makes it: none of its texts is shared.
    detector.ingest(engine.normalizeCloudTrail(JSON.parse(JSON.stringify(record(i, i % principals)))))
  }
  globalThis.gc()
  const { rss, heapUsed } = process.memoryUsage()
  const parts = Object.keys(detector.checkpoint().parts).filter((part) => part.startsWith('baseline/')).length
  const line = {
    measured: 'memory',
    principals,
    parts,
    residentMb: Math.round(rss / 1e6),
    heapMb: Math.round(heapUsed / 1e6),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/**
 * Buckets are opened by clients of every node while nodes are killed with `kill -9`, the one that follows the log among them:
 * each opening that is in the log is counted at the finding of its bucket, once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudTrailClient, paginateLookupEvents } from '@aws-sdk/client-cloudtrail'
import {
  CreateDetectorCommand,
  type Finding,
  GetFindingsCommand,
  GuardDutyClient,
  paginateListFindings,
} from '@aws-sdk/client-guardduty'
import { CreateBucketCommand, DeletePublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, expect, test } from 'vitest'
import { Cluster, type StoreKind } from './cluster.ts'

const KILLS = Number(process.env['MERLON_KILLS'] ?? 4)
const TYPE = 'Policy:S3/BucketBlockPublicAccessDisabled'

let cluster: Cluster | undefined
afterEach(() => cluster?.close(), 60_000)

test.each<[StoreKind, number]>([
  ['sqlite', 1],
  ['postgres', 2],
])('no finding is lost and none is counted twice on %s with %d nodes', async (store, nodes) => {
  cluster = await Cluster.start({ store, nodes })
  const { members, account } = cluster
  const { accessKeyId, secretAccessKey } = account
  const at = (url: string) => ({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    forcePathStyle: true,
  })
  const guardduty = new GuardDutyClient({ ...at(members[0]!.url), maxAttempts: 10 })
  const { DetectorId } = await guardduty.send(new CreateDetectorCommand({ Enable: true }))

  let isOver = false
  let number = 0
  const clients = members.map(async ({ url }) => {
    const s3 = new S3Client(at(url))
    while (!isOver) {
      const Bucket = `opened-${number++}`
      try {
        await s3.send(new CreateBucketCommand({ Bucket }))
        await s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
      } catch {
        // The node is dead: whether the call counts, the log says.
        await sleep(50)
      }
    }
  })
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(1_500)
    const member = members[kill % members.length]!
    await member.stop('SIGKILL')
    await sleep(200)
    await member.start()
  }
  await sleep(500)
  isOver = true
  await Promise.all(clients)

  const opened = new Map<string, number>()
  const trail = new CloudTrailClient({ ...at(members[0]!.url), maxAttempts: 10 })
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'DeleteBucketPublicAccessBlock' }]
  for await (const { Events = [] } of paginateLookupEvents({ client: trail }, { LookupAttributes }))
    for (const { CloudTrailEvent = '{}' } of Events) {
      const { errorCode, requestParameters } = JSON.parse(CloudTrailEvent)
      const { bucketName } = requestParameters
      if (errorCode === undefined) opened.set(bucketName, (opened.get(bucketName) ?? 0) + 1)
    }
  const counted = async () => {
    const findings: Finding[] = []
    const FindingCriteria = { Criterion: { type: { Equals: [TYPE] } } }
    for await (const { FindingIds } of paginateListFindings({ client: guardduty }, { DetectorId, FindingCriteria }))
      if (FindingIds?.length)
        findings.push(...(await guardduty.send(new GetFindingsCommand({ DetectorId, FindingIds }))).Findings!)
    return Object.fromEntries(
      findings.map(({ Resource, Service }) => [Resource!.S3BucketDetails![0]!.Name, Service!.Count]).sort(),
    )
  }
  const expected = Object.fromEntries([...opened].sort())
  // The lease of a killed node has to run out.
  await expect.poll(counted, { timeout: 90_000, interval: 1_000 }).toEqual(expected)
  await sleep(3_000)
  expect(await counted()).toEqual(expected)
  console.log(`${opened.size} buckets opened, ${KILLS} kills`)
  expect(opened.size).toBeGreaterThan(KILLS)
})

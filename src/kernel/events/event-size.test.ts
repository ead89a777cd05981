import { CreatePolicyCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateBucketCommand, DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { allowing, cloud } from '../../../test/cloud.ts'
import { why } from '../../server/compose/why.ts'
import { writtenRecord } from './event-size.ts'

const recorded = async ({ store }: Awaited<ReturnType<typeof cloud>>, name: string) => {
  const bodies = (await store.evidence(0, 1_000)).map(({ body }) => body).filter((body) => body.includes(`"${name}"`))
  return { bytes: Buffer.byteLength(bodies.at(-1)!), event: JSON.parse(bodies.at(-1)!) }
}

test('a call of a megabyte leaves an event that says so, and stays small', async () => {
  const it = await cloud()
  const Bucket = 'many-long-names'
  await it.client(S3Client).send(new CreateBucketCommand({ Bucket }))
  const Objects = Array.from({ length: 1_000 }, (_, n) => ({ Key: `${'k'.repeat(1_000)}${n}` }))
  await it.client(S3Client).send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))

  const { bytes, event } = await recorded(it, 'DeleteObjects')
  expect(bytes).toBeLessThan(50_000)
  expect(event).toMatchObject({
    eventName: 'DeleteObjects',
    requestParameters: { omitted: true, originalSize: expect.any(Number), reason: 'requestParameters too large' },
    resources: [{ ARN: `arn:aws:s3:::${Bucket}` }],
  })
  expect(event.requestParameters.originalSize).toBeGreaterThan(1_000_000)
  const [decision] = (await why(it, event.eventID)).decisions
  expect(decision!.notes).toContain('its parameters were too large to be kept')
})

test('a policy padded with blanks is recorded to its end, without them', async () => {
  const it = await cloud()
  const policy = allowing({ Sid: 'AtTheEnd', Action: '*', Resource: '*' })
  const PolicyDocument = ' '.repeat(60_000) + policy
  await it.client(IAMClient).send(new CreatePolicyCommand({ PolicyName: 'padded', PolicyDocument }))

  const { event } = await recorded(it, 'CreatePolicy')
  expect(event.requestParameters.policyDocument).toBe(policy)
})

test('texts that callers choose are cut at a kilobyte, between characters', async () => {
  const it = await cloud()
  const name = 'ü'.repeat(2_000)
  const asked = it.client(IAMClient).send(new GetUserCommand({ UserName: name }))
  await expect(asked).rejects.toThrow()

  const { event } = await recorded(it, 'GetUser')
  expect(Buffer.byteLength(event.errorMessage)).toBeLessThanOrEqual(1024)
  expect(event.errorMessage).not.toContain('\u{fffd}')
  const cut = JSON.parse(writtenRecord({ userAgent: `a${name}` })).userAgent
  expect(cut).toBe(`a${'ü'.repeat(511)}`)
})

test.each([
  ['requestParameters', 102_400],
  ['additionalEventData', 28_672],
])('%s of %d bytes are kept, and of one more are not', (name, most) => {
  const empty = JSON.stringify({ text: '' }).length
  const told = (bytes: number) => JSON.parse(writtenRecord({ [name]: { text: 'x'.repeat(bytes - empty) } }))[name]

  expect(told(most).text).toHaveLength(most - empty)
  expect(told(most + 1)).toEqual({ omitted: true, originalSize: most + 1, reason: `${name} too large` })
})

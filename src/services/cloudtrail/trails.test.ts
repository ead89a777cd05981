import {
  AddTagsCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  ListTagsCommand,
  ListTrailsCommand,
  PutEventSelectorsCommand,
  PutInsightSelectorsCommand,
  RemoveTagsCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { BUCKET, bucketPolicy, TRAIL_ARN, trailed } from './trails.fixture.ts'

describe('A trail', () => {
  it('is made, shown, changed and deleted', async () => {
    const { trails, create } = await trailed()
    const made = await create({ IsMultiRegionTrail: true, EnableLogFileValidation: true, S3KeyPrefix: undefined })
    expect(made).toMatchObject({
      Name: 'main',
      TrailARN: TRAIL_ARN,
      S3BucketName: BUCKET,
      IsMultiRegionTrail: true,
      LogFileValidationEnabled: true,
      IncludeGlobalServiceEvents: true,
      IsOrganizationTrail: false,
    })
    const { Trail } = await trails().send(new GetTrailCommand({ Name: TRAIL_ARN }))
    expect(Trail).toMatchObject({ HomeRegion: 'us-east-1', HasCustomEventSelectors: false, HasInsightSelectors: false })
    await trails().send(
      new UpdateTrailCommand({ Name: 'main', IsMultiRegionTrail: false, EnableLogFileValidation: false }),
    )
    const { trailList } = await trails().send(new DescribeTrailsCommand({ trailNameList: ['main', 'unknown'] }))
    expect(trailList).toMatchObject([{ Name: 'main', IsMultiRegionTrail: false, LogFileValidationEnabled: false }])
    const status = await trails().send(new GetTrailStatusCommand({ Name: 'main' }))
    expect(status).toMatchObject({ IsLogging: false, LatestDeliveryAttemptTime: '', TimeLoggingStarted: '' })
    await trails().send(new DeleteTrailCommand({ Name: 'main' }))
    await expect(trails().send(new GetTrailCommand({ Name: 'main' }))).rejects.toMatchObject({
      name: 'TrailNotFoundException',
      message: `Unknown trail: ${TRAIL_ARN} for the user: ${ACCOUNT}`,
    })
  })

  it('of all Regions is seen in each of them, and changed at home', async () => {
    const { trails, create } = await trailed()
    await create({ IsMultiRegionTrail: true })
    const away = trails('eu-west-1')
    expect((await away.send(new DescribeTrailsCommand({}))).trailList).toHaveLength(1)
    expect((await away.send(new DescribeTrailsCommand({ includeShadowTrails: false }))).trailList).toEqual([])
    expect((await away.send(new GetTrailCommand({ Name: 'main' }))).Trail!.HomeRegion).toBe('us-east-1')
    expect((await away.send(new ListTrailsCommand({}))).Trails).toEqual([
      { TrailARN: TRAIL_ARN, Name: 'main', HomeRegion: 'us-east-1' },
    ])
    await expect(away.send(new DeleteTrailCommand({ Name: 'main' }))).rejects.toMatchObject({
      name: 'InvalidHomeRegionException',
    })
  })

  it('of one Region is not seen in another', async () => {
    const { trails, create } = await trailed()
    await create()
    expect((await trails('eu-west-1').send(new DescribeTrailsCommand({}))).trailList).toEqual([])
    await expect(trails('eu-west-1').send(new GetTrailCommand({ Name: 'main' }))).rejects.toMatchObject({
      name: 'TrailNotFoundException',
    })
  })

  it.each([
    ['too short', 'ab'],
    ['too long', 'a'.repeat(129)],
    ['beginning with a dash', '-abc'],
    ['ending with a dot', 'abc.'],
    ['with a blank', 'a bc'],
    ['with two dots', 'a..b'],
    ['like an address', '10.0.0.1'],
  ])('has no name %s', async (_what, Name) => {
    const { create } = await trailed()
    await expect(create({ Name })).rejects.toMatchObject({ name: 'InvalidTrailNameException' })
  })

  it.each([
    ['a bucket that is not there', { S3BucketName: 'no-such-bucket' }, 'S3BucketDoesNotExistException'],
    ['a bucket of no name', { S3BucketName: 'No Bucket' }, 'InvalidS3BucketNameException'],
    ['a prefix the policy does not name', { S3KeyPrefix: 'elsewhere' }, 'InsufficientS3BucketPolicyException'],
    ['a prefix without end', { S3KeyPrefix: 'x'.repeat(201) }, 'InvalidS3PrefixException'],
    [
      'all Regions and no global events',
      { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
      'InvalidParameterCombinationException',
    ],
    ['a KMS key', { KmsKeyId: 'alias/logs' }, 'NotImplemented'],
    ['a topic', { SnsTopicName: 'topic' }, 'NotImplemented'],
    [
      'a log group and no role',
      { CloudWatchLogsLogGroupArn: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:x:*` },
      'InvalidCloudWatchLogsRoleArnException',
    ],
    ['an organization', { IsOrganizationTrail: true }, 'NotImplemented'],
    ['reserved tags', { TagsList: [{ Key: 'aws:x', Value: 'y' }] }, 'InvalidTagParameterException'],
  ])('with %s is not made', async (_what, wishes, name) => {
    const { trails, create } = await trailed()
    await expect(create(wishes)).rejects.toMatchObject({ name })
    expect((await trails().send(new DescribeTrailsCommand({}))).trailList).toEqual([])
  })

  it('is not made where the bucket lets another trail write', async () => {
    const { govern, create } = await trailed()
    await govern(bucketPolicy(BUCKET, '', `${TRAIL_ARN}-other`))
    await expect(create()).rejects.toMatchObject({
      name: 'InsufficientS3BucketPolicyException',
      message: `Incorrect S3 bucket policy is detected for bucket: ${BUCKET}`,
    })
  })

  it('is one of five at most, and the only one of its name', async () => {
    const { trails, create, govern } = await trailed()
    await govern(
      bucketPolicy()
        .replaceAll('"StringEquals":{"aws:SourceArn"', '"StringLike":{"aws:SourceArn"')
        .replaceAll('trail/main', 'trail/*')
        .replaceAll('StringEquals', 'StringLike'),
    )
    await create()
    await expect(create()).rejects.toMatchObject({ name: 'TrailAlreadyExistsException' })
    for (const Name of ['two', 'three', 'four', 'five']) await create({ Name })
    await expect(create({ Name: 'six' })).rejects.toMatchObject({ name: 'MaximumNumberOfTrailsExceededException' })
    expect((await trails().send(new ListTrailsCommand({}))).Trails).toHaveLength(5)
  })

  it('carries tags', async () => {
    const { trails, create } = await trailed()
    await create({ TagsList: [{ Key: 'team', Value: 'blue' }] })
    await trails().send(new AddTagsCommand({ ResourceId: TRAIL_ARN, TagsList: [{ Key: 'cost', Value: '1' }] }))
    await trails().send(new RemoveTagsCommand({ ResourceId: TRAIL_ARN, TagsList: [{ Key: 'team' }] }))
    const { ResourceTagList } = await trails().send(new ListTagsCommand({ ResourceIdList: [TRAIL_ARN] }))
    expect(ResourceTagList).toEqual([{ ResourceId: TRAIL_ARN, TagsList: [{ Key: 'cost', Value: '1' }] }])
    await expect(trails().send(new ListTagsCommand({ ResourceIdList: [`${TRAIL_ARN}x`] }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(trails().send(new AddTagsCommand({ ResourceId: 'main', TagsList: [] }))).rejects.toMatchObject({
      name: 'CloudTrailARNInvalidException',
    })
  })
})

describe('Selectors', () => {
  it('are all management events until others are put', async () => {
    const { trails, create } = await trailed()
    await create()
    const shown = await trails().send(new GetEventSelectorsCommand({ TrailName: 'main' }))
    expect(shown.EventSelectors).toEqual([
      { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] },
    ])
    const AdvancedEventSelectors = [
      {
        Name: 'writes',
        FieldSelectors: [
          { Field: 'eventCategory', Equals: ['Management'] },
          { Field: 'readOnly', Equals: ['false'] },
        ],
      },
    ]
    await trails().send(new PutEventSelectorsCommand({ TrailName: 'main', AdvancedEventSelectors }))
    const then = await trails().send(new GetEventSelectorsCommand({ TrailName: TRAIL_ARN }))
    expect(then.EventSelectors).toBeUndefined()
    expect(then.AdvancedEventSelectors).toEqual(AdvancedEventSelectors)
    expect((await trails().send(new GetTrailCommand({ Name: 'main' }))).Trail!.HasCustomEventSelectors).toBe(true)
  })

  const management = { Field: 'eventCategory', Equals: ['Management'] }
  it.each([
    ['none at all', {}],
    ['both kinds', { EventSelectors: [{}], AdvancedEventSelectors: [{ FieldSelectors: [management] }] }],
    ['six basic ones', { EventSelectors: Array.from({ length: 6 }, () => ({})) }],
    ['an unknown type', { EventSelectors: [{ DataResources: [{ Type: 'AWS::X::Y', Values: ['arn:aws:x'] }] }] }],
    [
      'an ARN of another type',
      { EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:lambda'] }] }] },
    ],
    [
      'a source that cannot be left out',
      { EventSelectors: [{ ExcludeManagementEventSources: ['iam.amazonaws.com'] }] },
    ],
    ['no category', { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'readOnly', Equals: ['true'] }] }] }],
    [
      'data of no type',
      { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Data'] }] }] },
    ],
    [
      'an unknown field',
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: 'mood', Equals: ['x'] }] }] },
    ],
    ['none in the list', { EventSelectors: [] }],
    ['none in the advanced list', { AdvancedEventSelectors: [] }],
    ['a field twice', { AdvancedEventSelectors: [{ FieldSelectors: [management, management] }] }],
    [
      'a field without condition',
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: 'eventName' }] }] },
    ],
    [
      'readOnly that is neither',
      { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: 'readOnly', Equals: ['x'] }] }] },
    ],
  ])('with %s are refused, and the ones before stay', async (_what, wish) => {
    const { trails, create } = await trailed()
    await create()
    await expect(trails().send(new PutEventSelectorsCommand({ TrailName: 'main', ...wish }))).rejects.toMatchObject({
      name: 'InvalidEventSelectorsException',
    })
    expect((await trails().send(new GetTrailCommand({ Name: 'main' }))).Trail!.HasCustomEventSelectors).toBe(false)
  })
})

test('insights are said not to be there, and refused by name', async () => {
  const { trails, create } = await trailed()
  await create()
  await expect(trails().send(new GetInsightSelectorsCommand({ TrailName: 'main' }))).rejects.toMatchObject({
    name: 'InsightNotEnabledException',
  })
  await expect(
    trails().send(
      new PutInsightSelectorsCommand({ TrailName: 'main', InsightSelectors: [{ InsightType: 'ApiCallRateInsight' }] }),
    ),
  ).rejects.toMatchObject({ name: 'NotImplemented', message: expect.stringContaining('PutInsightSelectors') })
})

test.each([
  ['a name', 'unknown', 'TrailNotFoundException'],
  ['an ARN', `${TRAIL_ARN}-x`, 'TrailNotFoundException'],
  ['an ARN of something else', `arn:aws:kms:us-east-1:${ACCOUNT}:key/x`, 'CloudTrailARNInvalidException'],
])('%s that is no trail is refused as such by every operation', async (_what, Name, name) => {
  const { trails } = await trailed()
  for (const command of [
    new GetTrailCommand({ Name }),
    new UpdateTrailCommand({ Name }),
    new DeleteTrailCommand({ Name }),
    new GetTrailStatusCommand({ Name }),
    new GetEventSelectorsCommand({ TrailName: Name }),
  ])
    await expect(trails().send(command as GetTrailCommand)).rejects.toMatchObject({ name })
})

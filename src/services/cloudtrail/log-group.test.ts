/** The log group of a trail: who may name it, and what is delivered to it. */
import {
  CloudTrailClient,
  GetTrailCommand,
  GetTrailStatusCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { trailed } from './trails.fixture.ts'

const GROUP = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:trails:*`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/trails`
const logGroup = { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE }
const trustOf = (Service: string) => allowing({ Principal: { Service }, Action: 'sts:AssumeRole' })

test('A trail writes to its log group as its role, which must be able to, and its caller must be able to pass it', async () => {
  const it = await trailed()
  const iam = it.client(IAMClient)
  const logs = () => it.client(CloudWatchLogsClient)
  await expect(it.create(logGroup)).rejects.toMatchObject({
    name: 'InvalidCloudWatchLogsRoleArnException',
    message: 'Access denied. Check the trust relationships for your role.',
  })
  await iam.send(
    new CreateRoleCommand({ RoleName: 'trails', AssumeRolePolicyDocument: trustOf('lambda.amazonaws.com') }),
  )
  await expect(it.create(logGroup)).rejects.toThrow('Check the trust relationships for your role.')
  const PolicyDocument = trustOf('cloudtrail.amazonaws.com')
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'trails', PolicyDocument }))
  await expect(it.create(logGroup)).rejects.toMatchObject({
    name: 'InvalidCloudWatchLogsLogGroupArnException',
    message: 'Access denied. Check the permissions for your role.',
  })
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'trails',
      PolicyName: 'write',
      PolicyDocument: allowing({
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:trails:log-stream:${ACCOUNT}_CloudTrail_us-east-1*`,
      }),
    }),
  )
  await expect(it.create(logGroup)).rejects.toThrow('The specified log group does not exist.')
  await logs().send(new CreateLogGroupCommand({ logGroupName: 'trails' }))
  await it.create(logGroup)
  const ann = await it.user('ann', allowing({ Action: 'cloudtrail:*', Resource: '*' }))
  const update = it
    .client(CloudTrailClient, ann)
    .send(new UpdateTrailCommand({ Name: 'main', ...logGroup, CloudWatchLogsRoleArn: `${ROLE}-2` }))
  await expect(update).rejects.toThrow('iam:PassRole')

  await it.start()
  await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'bob' }))
  await it.minutes(10)
  const sought = async (filterPattern: string) =>
    (await logs().send(new FilterLogEventsCommand({ logGroupName: 'trails', filterPattern }))).events!
  const events = await sought('{ $.eventName = "CreateUser" && $.requestParameters.userName = "bob" }')
  expect(events).toMatchObject([{ logStreamName: `${ACCOUNT}_CloudTrail_us-east-1` }])
  const status = () => it.trails().send(new GetTrailStatusCommand({ Name: 'main' }))
  expect((await status()).LatestCloudWatchLogsDeliveryTime).toBeInstanceOf(Date)
  expect((await it.trails().send(new GetTrailCommand({ Name: 'main' }))).Trail).toMatchObject(logGroup)

  await logs().send(new DeleteLogGroupCommand({ logGroupName: 'trails' }))
  await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'eve' }))
  await it.minutes(10)
  expect(await status()).toMatchObject({ LatestCloudWatchLogsDeliveryError: 'ResourceNotFoundException' })
  expect((await it.records()).filter(({ eventName }) => eventName === 'CreateUser')).toHaveLength(2)
  await it
    .trails()
    .send(new UpdateTrailCommand({ Name: 'main', CloudWatchLogsLogGroupArn: '', CloudWatchLogsRoleArn: '' }))
  const { Trail } = await it.trails().send(new GetTrailCommand({ Name: 'main' }))
  expect(Trail!.CloudWatchLogsLogGroupArn).toBeUndefined()
})

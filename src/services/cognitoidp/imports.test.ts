/** User imports: the file, the address it is uploaded to, the users that come of it, the log, and what goes wrong. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  AdminGetUserCommand,
  CognitoIdentityProviderClient,
  ConfirmForgotPasswordCommand,
  CreateUserImportJobCommand,
  DescribeUserImportJobCommand,
  ForgotPasswordCommand,
  GetCSVHeaderCommand,
  InitiateAuthCommand,
  ListUserImportJobsCommand,
  ListUsersCommand,
  StartUserImportJobCommand,
  StopUserImportJobCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { splitLine } from './import-csv.ts'
import { PASSWORD, type PoolOptions, poolFixture } from './user-pool.fixture.ts'

const CloudWatchLogsRoleArn = `arn:aws:iam::${ACCOUNT}:role/importer`
const HOUR_MS = 60 * 60_000

async function importing(options: PoolOptions = {}) {
  const it = await poolFixture({
    Schema: [{ Name: 'tenant', AttributeDataType: 'String', Mutable: true }],
    ...options,
  })
  const iam = it.client(IAMClient)
  const trust = allowing({ Principal: { Service: 'cognito-idp.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'importer', AssumeRolePolicyDocument: trust }))
  const Action = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']
  const PolicyDocument = allowing({ Action, Resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/cognito/*` })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'importer', PolicyName: 'log', PolicyDocument }))
  const { idp, UserPoolId } = it
  const columns = (await idp.send(new GetCSVHeaderCommand({ UserPoolId }))).CSVHeader!
  const create = async () =>
    (await idp.send(new CreateUserImportJobCommand({ UserPoolId, JobName: 'first', CloudWatchLogsRoleArn })))
      .UserImportJob!
  const lineOf = (values: Record<string, string>) => columns.map((name) => values[name] ?? '').join(',')
  const upload = async (address: string, lines: readonly string[], header = columns.join(',')) => {
    const url = new URL(address)
    const answer = await it.handle({
      method: 'PUT',
      path: url.pathname,
      query: url.search.slice(1),
      rawHeaders: ['Host', 'localhost', 'x-amz-server-side-encryption', 'aws:kms'],
      body: Buffer.from([header, ...lines, ''].join('\n')),
      remoteAddress: '127.0.0.1',
      secure: false,
    })
    return answer.status
  }
  const job = async (JobId: string) =>
    (await it.client(CognitoIdentityProviderClient).send(new DescribeUserImportJobCommand({ UserPoolId, JobId })))
      .UserImportJob!
  const start = (JobId: string) => idp.send(new StartUserImportJobCommand({ UserPoolId, JobId }))
  const finished = async () => {
    while ((await it.jobs.runDue()) > 0);
  }
  return { ...it, columns, create, lineOf, upload, job, start, finished }
}

const person = (name: string, more: Record<string, string> = {}) => ({
  'cognito:username': name,
  email: `${name}@corp.test`,
  email_verified: 'true',
  ...more,
})

test('Users come by a file, are skipped where they exist, and set a password by a code', async () => {
  const it = await importing()
  const { idp, UserPoolId, ClientId, lineOf } = it
  expect(it.columns.slice(-3)).toEqual(['custom:tenant', 'cognito:mfa_enabled', 'cognito:username'])
  const { JobId, PreSignedUrl, Status } = await it.create()
  expect(Status).toBe('Created')
  await expect(it.start(JobId!)).rejects.toMatchObject({ name: 'PreconditionNotMetException' })
  const lines = [
    lineOf(person('ana', { 'custom:tenant': 'blue', name: '"Ana, ""the first"""' })),
    lineOf(person('bea', { 'cognito:mfa_enabled': 'false', name: 'Bea\\, second' })),
    lineOf({ ...person('cem'), email_verified: '' }),
    lineOf(person('dan', { email: 'no-address' })),
    lineOf(person('ana', { email: 'other@corp.test' })),
    'too,few',
    '',
    lineOf({ email: 'eve@corp.test', email_verified: 'true' }),
  ]
  expect(await it.upload(PreSignedUrl!, lines)).toBe(200)
  await it.start(JobId!)
  await it.finished()
  expect(await it.job(JobId!)).toMatchObject({
    Status: 'Succeeded',
    ImportedUsers: 2,
    SkippedUsers: 1,
    FailedUsers: 4,
    CompletionMessage: 'The user import job was completed.',
  })
  const ana = await idp.send(new AdminGetUserCommand({ UserPoolId, Username: 'ana' }))
  expect(ana.UserStatus).toBe('RESET_REQUIRED')
  expect(ana.UserAttributes).toContainEqual({ Name: 'name', Value: 'Ana, "the first"' })
  expect(ana.UserAttributes).toContainEqual({ Name: 'custom:tenant', Value: 'blue' })

  const logGroupName = `/aws/cognito/userpools/${UserPoolId}/people`
  const { events } = await it.client(CloudWatchLogsClient).send(new FilterLogEventsCommand({ logGroupName }))
  const messages = events!.map(({ message }) => message!)
  expect(messages).toHaveLength(7)
  expect(messages).toContain('[SUCCEEDED] Line Number 2 - The import succeeded.')
  expect(messages).toContain('[SKIPPED] Line Number 6 - The user already exists.')
  expect(messages.find((each) => each.includes('Line Number 4 '))).toMatch(/^\[FAILED\].*email_verified/)
  expect(messages.find((each) => each.includes('Line Number 9 '))).toMatch(/cognito:username is missing/)

  const signIn = () =>
    idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'bea', PASSWORD },
      }),
    )
  await expect(signIn()).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  await idp.send(new ForgotPasswordCommand({ ClientId, Username: 'bea' }))
  const ConfirmationCode = await it.codeFor('bea@corp.test')
  await idp.send(new ConfirmForgotPasswordCommand({ ClientId, Username: 'bea', ConfirmationCode, Password: PASSWORD }))
  expect((await signIn()).AuthenticationResult).toBeDefined()
})

test('A file of many parts is imported whole, and a stop ends it between parts', async () => {
  const it = await importing()
  const { UserPoolId } = it
  const lines = Array.from({ length: 3000 }, (_, n) => it.lineOf(person(`user-${n}`)))
  const { JobId, PreSignedUrl } = await it.create()
  expect(await it.upload(PreSignedUrl!, lines)).toBe(200)
  await it.start(JobId!)
  await it.finished()
  expect(await it.job(JobId!)).toMatchObject({ Status: 'Succeeded', ImportedUsers: 3000, FailedUsers: 0 })
  const { Users } = await it.idp.send(new ListUsersCommand({ UserPoolId, Filter: 'email = "user-2999@corp.test"' }))
  expect(Users).toHaveLength(1)

  const next = await it.create()
  await it.upload(
    next.PreSignedUrl!,
    Array.from({ length: 3000 }, (_, n) => it.lineOf(person(`next-${n}`))),
  )
  await it.start(next.JobId!)
  await it.jobs.runDue()
  await it.idp.send(new StopUserImportJobCommand({ UserPoolId, JobId: next.JobId }))
  await it.finished()
  const stopped = await it.job(next.JobId!)
  expect(stopped.Status).toBe('Stopped')
  expect(stopped.ImportedUsers).toBeGreaterThan(0)
  expect(stopped.ImportedUsers).toBeLessThan(3000)
  const { UserImportJobs } = await it.idp.send(new ListUserImportJobsCommand({ UserPoolId, MaxResults: 10 }))
  expect(UserImportJobs!.map(({ Status }) => Status).sort()).toEqual(['Stopped', 'Succeeded'])
  // What the files held is gone.
  expect(await it.store.reader.range(`cognito-idp/import-part/${UserPoolId}/`)).toEqual([])
})

test('An address is for one job, one file and a quarter of an hour; a wrong file is refused or fails the job', async () => {
  const it = await importing()
  const { UserPoolId } = it
  const line = it.lineOf(person('ana'))
  const [first, second] = [await it.create(), await it.create()]
  const swapped = first.PreSignedUrl!.replace(first.JobId!, second.JobId!)
  expect(await it.upload(swapped, [line])).toBe(403)
  expect(await it.upload(first.PreSignedUrl!.replace(/.$/, '_'), [line])).toBe(403)
  expect(await it.upload(first.PreSignedUrl!, [])).toBe(400)
  expect(await it.upload(first.PreSignedUrl!, ['x'.repeat(70_000), line])).toBe(400)
  expect(await it.upload(first.PreSignedUrl!, [line], 'name,cognito:username')).toBe(200)
  expect(await it.upload(first.PreSignedUrl!, [line])).toBe(409)
  await it.start(first.JobId!)
  await it.finished()
  expect(await it.job(first.JobId!)).toMatchObject({
    Status: 'Failed',
    CompletionMessage: 'The header row in the CSV file does not match the header of the user pool.',
  })
  it.clock.advance(HOUR_MS / 4 + 1)
  expect(await it.upload(second.PreSignedUrl!, [line])).toBe(403)
  it.clock.advance(24 * HOUR_MS)
  await it.finished()
  expect((await it.job(second.JobId!)).Status).toBe('Expired')

  const keys = await it.user('limited', allowing({ Action: 'cognito-idp:*', Resource: '*' }))
  const limited = it.client(CognitoIdentityProviderClient, keys)
  const create = new CreateUserImportJobCommand({ UserPoolId, JobName: 'x', CloudWatchLogsRoleArn })
  await expect(limited.send(create)).rejects.toThrow('iam:PassRole')
  const other = { UserPoolId, JobName: 'x', CloudWatchLogsRoleArn: `${CloudWatchLogsRoleArn}-missing` }
  await expect(
    it.client(CognitoIdentityProviderClient).send(new CreateUserImportJobCommand(other)),
  ).rejects.toMatchObject({ name: 'InvalidParameterException' })
})

test.each([
  ['a,b,,c', ['a', 'b', '', 'c']],
  ['"a,b",c', ['a,b', 'c']],
  ['"say ""hi""",', ['say "hi"', '']],
  ['a\\,b,c', ['a,b', 'c']],
  ['', ['']],
  ['"open,c', undefined],
  ['"a"b,c', undefined],
])('The line %s', (line, values) => {
  expect(splitLine(line)).toEqual(values)
})

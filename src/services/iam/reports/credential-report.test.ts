import {
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  GenerateCredentialReportCommand,
  GetCredentialReportCommand,
  IAMClient,
  UpdateAccountPasswordPolicyCommand,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../../test/cloud.ts'

const HOUR_MS = 3_600_000

/** The report as a table: a record a user. */
async function read(iam: IAMClient): Promise<Readonly<Record<string, string>>[]> {
  const { Content, ReportFormat } = await iam.send(new GetCredentialReportCommand({}))
  expect(ReportFormat).toBe('text/csv')
  const [header, ...rows] = Buffer.from(Content!).toString().split('\n')
  const names = header!.split(',')
  return rows.map((row) =>
    Object.fromEntries(row.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((value, i) => [names[i]!, value])),
  )
}

test('The report lists root and every user, in the columns AWS has', async () => {
  const { client, flush } = await cloud()
  const iam = client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'ann' }))
  await iam.send(new CreateUserCommand({ UserName: 'b,c' }))
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'Long-Passw0rd!' }))
  await iam.send(new UpdateAccountPasswordPolicyCommand({ MaxPasswordAge: 90 }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  await client(STSClient, ann, 'eu-west-1').send(new GetCallerIdentityCommand({}))
  await flush()

  expect((await iam.send(new GenerateCredentialReportCommand({}))).State).toBe('STARTED')
  expect((await iam.send(new GenerateCredentialReportCommand({}))).State).toBe('COMPLETE')
  const [root, first, second, ...more] = await read(iam)

  expect(more).toEqual([])
  expect(root).toMatchObject({
    user: '<root_account>',
    arn: `arn:aws:iam::${ACCOUNT}:root`,
    password_enabled: 'not_supported',
    mfa_active: 'false',
    access_key_1_active: 'true',
  })
  expect(first).toMatchObject({
    user: 'ann',
    password_enabled: 'true',
    password_last_used: 'no_information',
    access_key_1_active: 'true',
    access_key_1_last_used_region: 'eu-west-1',
    access_key_1_last_used_service: 'sts',
    access_key_2_active: 'false',
    access_key_2_last_rotated: 'N/A',
    cert_1_active: 'false',
  })
  expect(Date.parse(first!['password_next_rotation']!) - Date.parse(first!['password_last_changed']!)).toBe(
    90 * 24 * HOUR_MS,
  )
  expect(second).toMatchObject({ user: '"b,c"', password_enabled: 'false', password_last_used: 'N/A' })
  expect(Object.keys(root!)).toHaveLength(22)
})

test('A report that is not there, or too old, is refused', async () => {
  const it = await cloud()
  const get = () => it.client(IAMClient).send(new GetCredentialReportCommand({}))

  await expect(get()).rejects.toMatchObject({ name: 'CredentialReportNotPresentException' })
  await it.client(IAMClient).send(new GenerateCredentialReportCommand({}))
  it.clock.advance(23 * HOUR_MS)
  expect((await get()).Content).toBeDefined()
  it.clock.advance(2 * HOUR_MS)
  await expect(get()).rejects.toMatchObject({ name: 'CredentialReportExpiredException' })
})

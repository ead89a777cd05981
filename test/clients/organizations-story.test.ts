/** A landing zone by hand, with nothing but the stock `aws` command: a guardrail goes up, holds, and is moved out from under. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installation, type Running, startMerlon } from '../process.ts'
import { environmentFor, type Keys, run } from './command.ts'

const GUARDRAIL = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'OneRegion',
      Effect: 'Deny',
      Action: 'cloudtrail:*',
      Resource: '*',
      Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-central-1' } },
    },
  ],
})

let merlon: Running
beforeAll(async () => {
  merlon = await startMerlon(installation())
})
afterAll(() => merlon.stop())

/** The JSON that `aws` prints; throws with what it complained of. */
async function aws(keys: Keys, command: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = await run(
    'aws',
    [...command.split(' '), ...words],
    environmentFor(merlon.url, keys),
  )
  if (status !== 0) throw new Error(stderr)
  return stdout.trim() === '' ? {} : JSON.parse(stdout)
}

const keysIn = ({ Credentials: c }: { Credentials: Record<string, string> }): Keys => ({
  accessKeyId: c['AccessKeyId']!,
  secretAccessKey: c['SecretAccessKey']!,
  sessionToken: c['SessionToken']!,
})

test('An SCP stops a member outside its Region, by name; moving the account lifts it; the management account never feels it', async () => {
  const root = merlon.accounts[0]!
  const { User } = await aws(root, 'iam create-user --user-name admin')
  await aws(root, 'iam attach-user-policy --user-name admin --policy-arn arn:aws:iam::aws:policy/AdministratorAccess')
  const { AccessKey } = await aws(root, `iam create-access-key --user-name ${User.UserName}`)
  const admin: Keys = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }

  await aws(admin, 'organizations create-organization --feature-set ALL')
  const top = (await aws(admin, 'organizations list-roots')).Roots[0].Id as string
  await aws(admin, `organizations enable-policy-type --root-id ${top} --policy-type SERVICE_CONTROL_POLICY`)
  const ou = async (name: string) =>
    (await aws(admin, `organizations create-organizational-unit --parent-id ${top} --name ${name}`)).OrganizationalUnit
      .Id
  const [guarded, free] = [await ou('Guarded'), await ou('Free')]
  const asked = await aws(admin, 'organizations create-account --account-name blue --email blue@example.com')
  const told = await aws(
    admin,
    `organizations describe-create-account-status --create-account-request-id ${asked.CreateAccountStatus.Id}`,
  )
  const account = told.CreateAccountStatus.AccountId as string
  const role = `arn:aws:iam::${account}:role/OrganizationAccountAccessRole`
  const member = keysIn(await aws(admin, `sts assume-role --role-arn ${role} --role-session-name story`))
  const look = (keys: Keys, region: string) => aws(keys, `cloudtrail lookup-events --max-results 1 --region ${region}`)

  await look(member, 'us-east-1')
  const policy = await aws(
    admin,
    'organizations create-policy --type SERVICE_CONTROL_POLICY --name one-region',
    '--description',
    'Only here',
    '--content',
    GUARDRAIL,
  )
  const { Id, Arn } = policy.Policy.PolicySummary
  await aws(admin, `organizations attach-policy --policy-id ${Id} --target-id ${guarded}`)
  const move = (from: string, to: string) =>
    aws(
      admin,
      `organizations move-account --account-id ${account} --source-parent-id ${from} --destination-parent-id ${to}`,
    )
  await move(top, guarded)

  await expect(look(member, 'us-east-1')).rejects.toThrow(
    `An error occurred (AccessDeniedException) when calling the LookupEvents operation: User: arn:aws:sts::${account}:assumed-role/OrganizationAccountAccessRole/story is not authorized to perform: cloudtrail:LookupEvents with an explicit deny in a service control policy: ${Arn}`,
  )
  await look(member, 'eu-central-1')
  await look(admin, 'us-east-1')

  await move(guarded, free)
  await look(member, 'us-east-1')
})

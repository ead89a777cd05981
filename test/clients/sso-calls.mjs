/**
 * A program of a person who signed in by `aws sso login`: a call for each line of its input, with one client whose
 * provider chain comes to `fromSSO`.
 */
import { createInterface } from 'node:readline'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

const sts = new STSClient({ region: 'us-east-1', profile: 'work' })
for await (const _ of createInterface({ input: process.stdin })) {
  const answer = await sts.send(new GetCallerIdentityCommand({})).then(
    ({ Arn }) => ({ arn: Arn }),
    (error) => ({ error: error.name }),
  )
  console.log(JSON.stringify(answer))
}

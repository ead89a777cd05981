/** What AWS was recorded to answer: ARNs that name nothing, and federation tokens without policies. */
import {
  AssumeRoleCommand,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  GetFederationTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { beforeEach, expect, test } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'

let it: Awaited<ReturnType<typeof cloud>>
beforeEach(async () => {
  it = await cloud()
})

test('an ARN without a resource is invalid in every operation that assumes a role', async () => {
  const RoleArn = 'arn:a:a::aaaaaaaaaa:'
  const RoleSessionName = 'work'
  const PrincipalArn = `arn:aws:iam::${ACCOUNT}:saml-provider/none`
  const sts = it.client(STSClient, await it.user('ann'))
  // All at once: each is awaited from the start, so that none is rejected before it is looked at.
  const answers = await Promise.allSettled([
    sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName })),
    it.client(STSClient).send(new AssumeRoleCommand({ RoleArn, RoleSessionName })),
    sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken: 'a.b.c' })),
    sts.send(new AssumeRoleWithSAMLCommand({ RoleArn, PrincipalArn, SAMLAssertion: 'abcd' })),
  ])
  for (const { status, reason } of answers as PromiseRejectedResult[]) {
    expect([status, reason.name, reason.message]).toEqual(['rejected', 'ValidationError', `${RoleArn} is invalid`])
  }
})

test('a federation token without policies has a packed size of nothing', async () => {
  const { PackedPolicySize } = await it.client(STSClient).send(new GetFederationTokenCommand({ Name: 'visitor' }))
  expect(PackedPolicySize).toBe(0)
})

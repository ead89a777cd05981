/** Where a policy is checked: small ones at once, others on the thread for analyses. */
import { expect, test } from 'vitest'
import type { Call } from '../../kernel/gate/call.ts'
import type { LintRequest, LintResult } from '../../kernel/ports/analyses.ts'
import { absenceIn } from '../../kernel/resource/absent-keys.ts'
import { type Analysis, analyze } from '../../policy/index.ts'
import { checkNoPublicAccess } from './access.ts'
import { validatePolicy } from './validation.ts'

const policy = (actions: readonly string[], Sid = 'a') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid, Effect: 'Allow', Action: actions, Resource: '*' }] })
const wildcards = (count: number) => Array.from({ length: count }, (_, n) => `ec2:*nothing${n}*`)

async function validated(policyDocument: string, answer: LintResult | 'busy' = { findings: [] }) {
  const sent: LintRequest[] = []
  const call = {
    account: '111122223333',
    region: 'us-east-1',
    caller: { principal: { kind: 'anonymous' } },
    absentKey: absenceIn([]),
    ports: {
      analyses: {
        lint: async (_account: string, request: LintRequest) => {
          sent.push(request)
          return answer
        },
      },
    },
  } as unknown as Call
  const answered = await validatePolicy.run(call, { policyDocument, policyType: 'IDENTITY_POLICY' }, undefined)
  return { sent, findings: answered.findings }
}

test('A small policy is validated at once', async () => {
  const { sent, findings } = await validated(policy(['iam:PassRole']))

  expect(sent).toEqual([])
  expect(findings).not.toEqual([])
})

test.each([
  ['long', policy(['s3:GetObject'], 'a'.repeat(9_000))],
  ['costly', policy(wildcards(100))],
])('A %s policy is validated on the thread for analyses', async (_what, document) => {
  const { sent } = await validated(document)

  expect(sent).toMatchObject([{ policy: document, kind: 'identity', facts: { account: '111122223333' } }])
})

test('Too many analyses are throttled, and a policy that is too complex is refused', async () => {
  const document = policy(wildcards(100))

  await expect(validated(document, 'busy')).rejects.toMatchObject({ code: 'ThrottlingException' })
  await expect(validated(document, { tooComplex: true })).rejects.toMatchObject({ code: 'ValidationException' })
})

test.each([
  ['short', 'a', 0],
  ['long', 'a'.repeat(9_000), 1],
])('Whether a %s policy is public is decided where it costs no other call', async (_what, Sid, sent) => {
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid, Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }],
  })
  const analyses: Analysis[] = []
  const call = {
    account: '111122223333',
    ports: {
      analyses: {
        analyze: async (_account: string, analysis: Analysis) => {
          analyses.push(analysis)
          return analyze(analysis, [])
        },
      },
    },
  } as unknown as Call
  const answer = await checkNoPublicAccess.run(call, { policyDocument, resourceType: 'AWS::S3::Bucket' }, undefined)

  expect(answer).toMatchObject({ result: 'FAIL', reasons: [{ statementIndex: 0, statementId: Sid }] })
  expect(analyses).toHaveLength(sent)
})

import { expect, test } from 'vitest'
import type { LintRequest } from '../ports/analyses.ts'
import { lintPolicy } from './policy-lint.ts'

const request = (Action: string | readonly string[], absent: LintRequest['absent'] = []): LintRequest => ({
  policy: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*', Condition: { StringEquals: { 'kms:ViaService': 'x' } } }],
  }),
  kind: 'identity',
  absent,
})
const codes = async (toLint: LintRequest) => {
  const result = await lintPolicy(toLint)
  return 'findings' in result ? result.findings.map(({ issueCode }) => issueCode) : []
}

test('A policy is checked against the keys that no request has', async () => {
  const absent = [{ 'kms:ViaService': 'no service calls KMS' }]

  expect(await codes(request('kms:Decrypt', absent))).toContain('CONDITION_KEY_NOT_SUPPLIED')
  expect(await codes(request('kms:Decrypt'))).not.toContain('CONDITION_KEY_NOT_SUPPLIED')
})

test('A smaller budget ends the work earlier', async () => {
  const wildcards = request(Array.from({ length: 40 }, (_, n) => `ec2:*nothing${n}*`))

  expect(await lintPolicy(wildcards, 1_000)).toEqual({ tooComplex: true })
  expect(await lintPolicy(wildcards)).toHaveProperty('findings')
})

test('What another thread needs can be sent to it', async () => {
  const toLint: LintRequest = {
    ...request('kms:Decrypt', [{ 'kms:ViaService': 'no service calls KMS' }]),
    facts: {
      account: '111122223333',
      existing: new Map([['arn:aws:iam::111122223333:user/a', false]]),
      audiences: new Map(),
    },
  }

  expect(await lintPolicy(structuredClone(toLint))).toEqual(await lintPolicy(toLint))
})

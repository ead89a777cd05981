import { App } from 'aws-cdk-lib'
import { loadPolicies } from 'merlon/policy/testing'
import { expect, test } from 'vitest'
import { policiesOf } from './policies.ts'
import { ReportsStack } from './reports-stack.ts'

const { arn, principal, identity, boundary, keyPolicy } = policiesOf(new ReportsStack(new App(), 'Reports'), 'Reader')
const report = { principal, resource: `${arn('Reports')}/2026/11.csv`, resourceAccount: '123456789012' }

test('the reader gets reports and decrypts them', () => {
  const { decide } = loadPolicies({ identity, boundary })
  const ofKey = loadPolicies({ identity, boundary, keyPolicy })

  expect(decide({ ...report, action: 's3:GetObject' })).toMatchObject({ allowed: true })
  expect(ofKey.decide({ principal, action: 'kms:Decrypt', resource: arn('Key') })).toMatchObject({ allowed: true })
})

test('the reader neither writes reports nor manages their key', () => {
  const { decide } = loadPolicies({ identity, boundary })
  const ofKey = loadPolicies({ identity, boundary, keyPolicy })

  expect(decide({ ...report, action: 's3:PutObject' })).toMatchObject({ allowed: false })
  expect(ofKey.decide({ principal, action: 'kms:ScheduleKeyDeletion', resource: arn('Key') })).toMatchObject({ allowed: false })
})

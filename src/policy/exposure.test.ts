/** Whom a policy document opens to. */
import { expect, test } from 'vitest'
import { exposureOf } from './exposure.ts'

const OWN = '111122223333'
const bucket = (statement: object) =>
  JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...statement } })

test('A bucket open to everyone is anonymous; limited to a VPC endpoint it is not', () => {
  const fixed = { Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } } }

  expect(exposureOf(bucket({ Principal: '*' }), OWN)?.anonymous).toBe(true)
  expect(exposureOf(bucket({ Principal: '*', ...fixed }), OWN)?.anonymous).toBe(false)
})

test('A trust policy names the other accounts that it trusts', () => {
  const principal = { AWS: [`arn:aws:iam::${OWN}:root`, 'arn:aws:iam::444455556666:root', '777788889999'] }
  const document = { Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }] }

  expect(exposureOf(JSON.stringify(document), OWN)?.accounts).toEqual(['444455556666', '777788889999'])
})

test('Only a policy of all actions on all resources without a condition is an administrator', () => {
  const administrator = (statement: object) =>
    exposureOf(JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', ...statement }] }), OWN)
      ?.administrator

  expect(administrator({})).toBe(true)
  expect(administrator({ Action: 's3:*' })).toBe(false)
  expect(administrator({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })).toBe(false)
})

test('A hostile text has no exposure', () => {
  const deep = `{"Statement":{"Principal":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}`
  const long = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS: 'x'.repeat(100_000) }, Action: '*', Resource: '*' },
  })

  expect(exposureOf(deep, OWN)).toBeUndefined()
  expect(exposureOf(long, OWN)?.accounts ?? []).toEqual([])
  for (const text of [
    'null',
    '[]',
    '"Principal"',
    '{"Principal":1}',
    '{"Statement":[null]}',
    '{"Statement":{"Principal":null}}',
  ])
    expect(exposureOf(text, OWN)?.anonymous ?? false).toBe(false)
})

test('A text that is no policy has no exposure', () => {
  expect(exposureOf('{', OWN)).toBeUndefined()
  expect(exposureOf('', OWN)).toBeUndefined()
})

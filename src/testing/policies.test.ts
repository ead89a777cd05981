/** Policies in files and as objects, decided without a server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadPolicies } from './policies.ts'

const folder = mkdtempSync(join(tmpdir(), 'merlon-policies-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ANN = 'arn:aws:iam::123456789012:user/ann'
const policy = (Effect: 'Allow' | 'Deny', Action: string, more = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect, Action, Resource: '*', ...more }],
})

describe('loadPolicies', () => {
  test('allows what a policy in a file allows, and nothing else', () => {
    const file = join(folder, 'look.json')
    writeFileSync(file, JSON.stringify(policy('Allow', 's3:Get*')))
    const { decide } = loadPolicies({ identity: [file] })

    expect(decide({ principal: ANN, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }).allowed).toBe(true)
    expect(decide({ principal: ANN, action: 's3:PutObject', resource: 'arn:aws:s3:::b/k' })).toMatchObject({
      allowed: false,
      explicit: false,
    })
  })

  test('denies by a service control policy, and names it', () => {
    const { decide } = loadPolicies({
      identity: [policy('Allow', '*')],
      scps: [[policy('Allow', '*')], [policy('Deny', 'kms:*'), policy('Allow', '*')]],
    })

    expect(decide({ principal: ANN, action: 'kms:Decrypt' })).toMatchObject({
      allowed: false,
      explicit: true,
      layer: 'scp',
    })
  })

  test('decides by condition keys and principal tags', () => {
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:RequestedRegion': 'eu-west-1' } }
    const { decide } = loadPolicies({ identity: [policy('Allow', 'kms:*', { Condition })] })
    const request = { principal: ANN, action: 'kms:Decrypt', context: { 'aws:RequestedRegion': 'eu-west-1' } }

    expect(decide({ ...request, principalTags: { team: 'blue' } }).allowed).toBe(true)
    expect(decide({ ...request, principalTags: { team: 'red' } }).allowed).toBe(false)
  })

  test('requires the policy of a KMS key to allow', () => {
    const { decide } = loadPolicies({
      identity: [policy('Allow', '*')],
      keyPolicy: policy('Allow', 'kms:*', { Principal: { AWS: 'arn:aws:iam::123456789012:user/bob' } }),
    })

    expect(decide({ principal: ANN, action: 'kms:Decrypt' }).allowed).toBe(false)
  })

  test('names the file of a policy that cannot be meant', () => {
    const file = join(folder, 'broken.json')
    writeFileSync(file, '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}')

    expect(() => loadPolicies({ identity: [file] })).toThrow(file)
  })

  test('refuses a principal that is none', () => {
    expect(() => loadPolicies({}).decide({ principal: 'ann', action: 's3:GetObject' })).toThrow(TypeError)
  })
})

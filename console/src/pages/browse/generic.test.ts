import { describe, expect, test } from 'vitest'
import { loadModel } from '../../api/model.ts'
import { listMemberOf } from '../../api/paging.ts'
import { columnsOf, idOf, listOperations, operationsOn, singular, withoutEmpty } from './generic.ts'

describe('from the models alone', () => {
  test.each([
    ['kms', ['ListKeys', 'ListAliases']],
    ['iam', ['ListUsers', 'ListRoles', 'ListPolicies']],
    ['lambda', ['ListFunctions']],
    ['guardduty', ['ListDetectors']],
    ['acm', ['ListCertificates']],
    ['cognito-idp', []],
    ['wafv2', []],
    ['ec2', ['DescribeVpcs', 'DescribeSecurityGroups']],
  ])('%s has its lists', async (service, lists) => {
    const names = listOperations(await loadModel(service)).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(lists))
  })

  test('what answers secrets is not called by itself', async () => {
    const secrets = await loadModel('secretsmanager')
    const list = secrets.operations.get('ListSecrets')!
    const on = operationsOn(secrets, list, { ARN: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:x', Name: 'x' })
    expect(on.map(({ operation }) => operation.name)).toContain('DescribeSecret')
    expect(on.map(({ operation }) => operation.name)).not.toContain('GetSecretValue')
  })

  test.each([
    ['iam', 'ListUsers', { UserName: 'ann', Arn: 'arn:x', UserId: 'AIDA' }, 'GetUser', { UserName: 'ann' }],
    ['iam', 'ListPolicies', { PolicyName: 'p', Arn: 'arn:p' }, 'GetPolicy', { PolicyArn: 'arn:p' }],
    ['kms', 'ListKeys', { KeyId: 'k', KeyArn: 'arn:k' }, 'DescribeKey', { KeyId: 'k' }],
    ['acm', 'ListCertificates', { CertificateArn: 'arn:c' }, 'DescribeCertificate', { CertificateArn: 'arn:c' }],
    ['lambda', 'ListFunctions', { FunctionName: 'f' }, 'GetFunctionConfiguration', { FunctionName: 'f' }],
    ['guardduty', 'ListDetectors', { value: 'd' }, 'GetDetector', { DetectorId: 'd' }],
    ['s3', 'ListBuckets', { Name: 'b' }, 'GetBucketPolicy', { Bucket: 'b' }],
    ['organizations', 'ListAccounts', { Id: '1', Arn: 'arn:a' }, 'DescribeAccount', { AccountId: '1' }],
  ] as const)('%s %s leads to one resource', async (service, list, item, describe, input) => {
    const model = await loadModel(service)
    const found = operationsOn(model, model.operations.get(list)!, item).find(
      ({ operation }) => operation.name === describe,
    )
    expect(found?.input).toEqual(input)
  })

  test('a table begins with what names the resource', async () => {
    const { operations } = await loadModel('iam')
    expect(columnsOf(listMemberOf(operations.get('ListUsers')!)!.shape)[0]).toBe('UserName')
  })
})

test('names in the singular', () => {
  expect(
    [
      'Users',
      'Policies',
      'KeyMetadata',
      'Aliases',
      'Addresses',
      'SecretList',
      'CertificateSummaryList',
      'DetectorIds',
    ].map(singular),
  ).toEqual(['User', 'Policy', 'Key', 'Alias', 'Address', 'Secret', 'CertificateSummary', 'DetectorId'])
})

test('what tells items apart', () => {
  expect(idOf({ Name: 'n', Arn: 'arn:n' })).toBe('arn:n')
  expect(idOf({ value: 'v' })).toBe('v')
})

test('what was left empty is not sent', () => {
  expect(withoutEmpty({ A: '', B: { C: '' }, D: [], E: 0, F: false, G: [{ H: 'x', I: '' }] })).toEqual({
    E: 0,
    F: false,
    G: [{ H: 'x' }],
  })
})

/** The linter: one policy a code, what is refused and what is not, and documents of no kind at all. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { policyReference } from '../../kernel/resource/policy-reference.ts'
import { awsPolicies } from '../../services/iam/policies/aws-policies.ts'
import type { PolicyKind } from '../document.ts'
import { BudgetError, lint as lintWith, parsePolicy } from '../index.ts'

const reference = await policyReference()
const lint = (text: string, kind: PolicyKind = 'identity') => lintWith(text, kind, reference)
const VERSION = '2012-10-17'
const of = (...Statement: readonly object[]) => JSON.stringify({ Version: VERSION, Statement })
const allow = (more: object = {}) =>
  of({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*', ...more })
const when = (operator: string, key: string, value: unknown, more: object = {}) =>
  allow({ Condition: { [operator]: { [key]: value } }, ...more })
const has = (operator: string, key: string, value: unknown) => ({ Condition: { [operator]: { [key]: value } } })
const trust = (more: object) =>
  of({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' }, ...more })
const rcp = (more: object) => of({ Effect: 'Deny', Action: 's3:*', Resource: '*', Principal: '*', ...more })
const resource = (more: object) => allow({ Principal: { AWS: '111122223333' }, ...more })
const codes = (text: string, kind?: PolicyKind) =>
  lint(text, kind).map(({ findingType, issueCode }) => `${findingType} ${issueCode}`)

type Row = readonly [code: string, text: string, kind?: PolicyKind]

const ROWS: readonly Row[] = [
  // the document
  ['ERROR JSON_SYNTAX_ERROR', '{ "Version": '],
  ['ERROR DATA_TYPE_MISMATCH', '[]'],
  ['ERROR INVALID_POLICY_ELEMENT', JSON.stringify({ Version: VERSION, Statements: [], Statement: [] })],
  ['ERROR INVALID_VERSION', allow().replace(VERSION, '2012-10-18')],
  ['ERROR MISSING_STATEMENT', of()],
  ['ERROR DUPLICATE_KEYS_WITH_DIFFERENT_CASE', allow({ effect: 'Allow' })],
  ['WARNING MISSING_VERSION', JSON.stringify({ Statement: JSON.parse(allow()).Statement })],
  ['ERROR UNIQUE_SIDS_REQUIRED', of(...[1, 2].map(() => ({ ...JSON.parse(allow()).Statement[0], Sid: 'a' })))],
  // elements
  ['ERROR MISSING_EFFECT', of({ Action: 's3:GetObject', Resource: '*' })],
  ['ERROR INVALID_EFFECT', allow({ Effect: 'allow' })],
  ['ERROR MISSING_ACTION', of({ Effect: 'Allow', Resource: '*' })],
  ['ERROR MISSING_RESOURCE', of({ Effect: 'Allow', Action: 's3:GetObject' })],
  ['ERROR MISSING_PRINCIPAL', allow(), 'resource'],
  ['ERROR UNSUPPORTED_ELEMENT_COMBINATION', allow({ NotAction: 's3:PutObject' })],
  ['ERROR UNSUPPORTED_PRINCIPAL', allow({ Principal: '*' })],
  ['ERROR SCP_SYNTAX_ERROR_PRINCIPAL', allow({ Principal: '*' }), 'scp'],
  ['ERROR UNSUPPORTED_SID', allow({ Sid: 'with space' })],
  ['SUGGESTION EMPTY_SID_VALUE', allow({ Sid: '' })],
  ['SUGGESTION EMPTY_ARRAY_ACTION', allow({ Action: [] })],
  ['SUGGESTION EMPTY_ARRAY_RESOURCE', allow({ Resource: [] })],
  ['SUGGESTION EMPTY_OBJECT_CONDITION', allow({ Condition: {} })],
  // actions
  ['ERROR INVALID_ACTION', allow({ Action: 's3:GetObjects' })],
  ['ERROR INVALID_ACTION', allow({ Action: 's3:Nothing*' })],
  ['ERROR INVALID_SERVICE_IN_ACTION', allow({ Action: 's33:GetObject' })],
  ['SUGGESTION WILDCARD_IN_SERVICE_NAME', allow({ Action: '*:GetObject' })],
  ['SUGGESTION REDUNDANT_ACTION', allow({ Action: ['s3:Get*', 's3:GetObject'] })],
  ['ERROR UNSUPPORTED_ACTION_IN_POLICY', trust({ Action: 's3:GetObject' }), 'trust'],
  // resources
  ['ERROR INVALID_ARN_PREFIX', allow({ Resource: 's3:::b' })],
  ['ERROR MISSING_ARN_FIELD', allow({ Resource: 'arn:aws:s3:b' })],
  ['ERROR INVALID_PARTITION', allow({ Resource: 'arn:awx:s3:::b' })],
  ['ERROR INVALID_ARN_ACCOUNT', allow({ Resource: 'arn:aws:iam::12:user/a' })],
  ['ERROR INVALID_ARN_REGION', allow({ Resource: 'arn:aws:kms:europe:111122223333:key/a' })],
  ['ERROR INVALID_ARN_SERVICE_CASE', allow({ Resource: 'arn:aws:S3:::b' })],
  ['ERROR INVALID_SERVICE', allow({ Resource: 'arn:aws:s33:::b' })],
  ['ERROR INVALID_ARN_RESOURCE', allow({ Resource: 'arn:aws:iam::111122223333:people/a' })],
  ['ERROR ARN_REGION_NOT_ALLOWED', allow({ Resource: 'arn:aws:iam:us-east-1:111122223333:user/a' })],
  ['ERROR ARN_ACCOUNT_NOT_ALLOWED', allow({ Resource: 'arn:aws:route53::111122223333:hostedzone/Z' })],
  ['SUGGESTION REDUNDANT_RESOURCE', allow({ Resource: ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/a'] })],
  // principals
  ['ERROR INVALID_PRINCIPAL_FORMAT', resource({ Principal: { AWS: 'ann' } }), 'resource'],
  ['ERROR INVALID_PRINCIPAL_KEY', resource({ Principal: { Aws: '111122223333' } }), 'resource'],
  ['ERROR INVALID_SERVICE_PRINCIPAL_FORMAT', resource({ Principal: { Service: 'lambda' } }), 'resource'],
  [
    'ERROR UNSUPPORTED_WILDCARD_IN_PRINCIPAL',
    resource({ Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } }),
    'resource',
  ],
  [
    'ERROR ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL',
    of({ Effect: 'Deny', Action: 'sts:AssumeRole', NotPrincipal: { AWS: '111122223333' } }),
    'trust',
  ],
  ['ERROR ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE', trust({ Resource: '*' }), 'trust'],
  [
    'ERROR MISMATCHED_ACTION_FOR_PRINCIPAL',
    trust({ Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/ad' } }),
    'trust',
  ],
  ['SUGGESTION EMPTY_ARRAY_PRINCIPAL', resource({ Principal: { AWS: [] } }), 'resource'],
  [
    'SECURITY_WARNING ALLOW_WITH_NOT_PRINCIPAL',
    of({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', NotPrincipal: { AWS: '111122223333' } }),
    'resource',
  ],
  // conditions
  ['ERROR INVALID_CONDITION_OPERATOR', when('StringIs', 'aws:username', 'a')],
  ['ERROR INVALID_GLOBAL_CONDITION_KEY', when('StringEquals', 'aws:usernames', 'a')],
  ['ERROR INVALID_SERVICE_CONDITION_KEY', when('StringEquals', 's3:prefixes', 'a')],
  ['ERROR INVALID_CONDITION_KEY_FORMAT', when('StringEquals', 'username', 'a')],
  ['ERROR MISSING_TAG_KEY_IN_CONDITION', when('StringEquals', 'aws:PrincipalTag/', 'a')],
  ['ERROR INVALID_CONDITION_DATA_TYPE', when('StringEquals', 'aws:username', { a: 1 })],
  ['ERROR INVALID_CONDITION_MULTIPLE_BOOLEAN', when('Bool', 'aws:SecureTransport', ['true', 'false'])],
  ['ERROR NULL_WITH_IF_EXISTS', when('NullIfExists', 'aws:username', 'true')],
  ['SUGGESTION NULL_WITH_QUALIFIER', when('ForAnyValue:Null', 'aws:TagKeys', 'true')],
  ['ERROR MISSING_QUALIFIER', when('StringEquals', 'aws:TagKeys', 'a')],
  ['SECURITY_WARNING FORALLVALUES_WITH_SINGLE_VALUED_KEY', when('ForAllValues:StringEquals', 'aws:username', 'a')],
  ['SUGGESTION EMPTY_ARRAY_CONDITION', when('StringEquals', 'aws:username', [])],
  ['SUGGESTION EMPTY_ARRAY_CONDITION_FORALLVALUES', when('ForAllValues:StringEquals', 'aws:TagKeys', [])],
  ['SUGGESTION EMPTY_ARRAY_CONDITION_FORANYVALUE', when('ForAnyValue:StringEquals', 'aws:TagKeys', [])],
  ['SUGGESTION EMPTY_ARRAY_CONDITION_IFEXISTS', when('StringEqualsIfExists', 'aws:username', [])],
  [
    'SUGGESTION IRRELEVANT_CONDITION_KEY_IN_POLICY',
    resource(has('StringEquals', 's3:ResourceAccount', '111122223333')),
    'resource',
  ],
  ['ERROR MISSING_ACTION_FOR_CONDITION_KEY', when('StringEquals', 'iam:PassedToService', 'a')],
  ['WARNING DEPRECATED_GLOBAL_CONDITION_KEY', when('StringEquals', 'aws:SourceOwner', 'a')],
  ['WARNING WILDCARD_WITHOUT_LIKE_OPERATOR', when('StringEquals', 'aws:username', 'a*')],
  ['WARNING TYPE_MISMATCH_NUMBER', when('NumericEquals', 'aws:MultiFactorAuthAge', 'old')],
  ['WARNING TYPE_MISMATCH_BOOLEAN', when('Bool', 'aws:SecureTransport', 'yes')],
  ['ERROR TYPE_MISMATCH_IP_RANGE', when('IpAddress', 'aws:SourceIp', '203.0.113.0/99')],
  ['WARNING TYPE_MISMATCH', when('StringEquals', 'aws:SecureTransport', 'true')],
  ['WARNING TYPE_MISMATCH_STRING', when('BinaryEquals', 'aws:username', '***')],
  ['WARNING TYPE_MISMATCH', when('DateGreaterThan', 'aws:username', '2026-01-01T00:00:00Z')],
  ['WARNING TYPE_MISMATCH_DATE', when('DateGreaterThan', 'aws:CurrentTime', 'tomorrow')],
  ['WARNING INVALID_DATE_VALUE', when('DateGreaterThan', 'aws:EpochTime', '1700000000')],
  ['ERROR PRIVATE_IP_ADDRESS', when('IpAddress', 'aws:SourceIp', '10.0.0.0/8')],
  ['ERROR PRIVATE_NOT_IP_ADDRESS', when('NotIpAddress', 'aws:SourceIp', '192.168.1.0/24')],
  ['ERROR INVALID_VPC_FORMAT', when('StringEquals', 'aws:SourceVpc', 'my-vpc')],
  ['ERROR INVALID_VPCE_FORMAT', when('StringEquals', 'aws:SourceVpce', 'vpc-1a')],
  // variables
  ['ERROR MISSING_BRACE_IN_VARIABLE', allow({ Resource: 'arn:aws:s3:::b/${aws:username' })],
  ['ERROR EMPTY_VARIABLE', allow({ Resource: 'arn:aws:s3:::b/${}' })],
  ['ERROR UNSUPPORTED_SPACE_IN_VARIABLE', allow({ Resource: 'arn:aws:s3:::b/${aws:user name}' })],
  ['ERROR MISSING_QUOTE_IN_VARIABLE', allow({ Resource: 'arn:aws:s3:::b/${aws:username, nobody}' })],
  ['ERROR VARIABLE_UNSUPPORTED_IN_ELEMENT', allow({ Action: 's3:${aws:username}' })],
  [
    'ERROR VARIABLE_UNSUPPORTED_IN_VERSION',
    resource({ Resource: 'arn:aws:s3:::b/${aws:username}' }).replace(VERSION, '2008-10-17'),
    'resource',
  ],
  ['ERROR INVALID_VARIABLE_FOR_OPERATOR', when('NumericEquals', 'aws:MultiFactorAuthAge', '${aws:username}')],
  // grants that reach further than they look
  ['SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE', allow({ Action: 'iam:PassRole', Resource: '*' })],
  ['SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE', allow({ Action: 'iam:*', Resource: '*' })],
  [
    'SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION',
    of({ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }),
  ],
  [
    'SECURITY_WARNING PASS_ROLE_WITH_NOT_RESOURCE',
    of({ Effect: 'Allow', Action: 'iam:PassRole', NotResource: 'arn:aws:s3:::b' }),
  ],
  [
    'SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE',
    of({ Effect: 'Allow', Action: 'iam:P*', NotResource: 'arn:aws:s3:::b' }),
  ],
  [
    'SECURITY_WARNING PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE',
    of({ Effect: 'Allow', NotAction: 's3:*', NotResource: 'arn:aws:s3:::b' }),
  ],
  ['WARNING CREATE_SLR_WITH_STAR_IN_RESOURCE', allow({ Action: 'iam:CreateServiceLinkedRole', Resource: '*' })],
  [
    'SECURITY_WARNING RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL',
    resource({ Principal: { Service: 'sns.amazonaws.com' } }),
    'resource',
  ],
  [
    'SECURITY_WARNING MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL',
    trust({ Action: 'sts:AssumeRoleWithWebIdentity', Principal: { Federated: 'accounts.google.com' } }),
    'trust',
  ],
  [
    'SECURITY_WARNING MISSING_GITHUB_REPO_CONDITION_KEY',
    trust({
      Action: 'sts:AssumeRoleWithWebIdentity',
      Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com' },
    }),
    'trust',
  ],
  // control policies
  ['ERROR SCP_SYNTAX_ERROR_ACTION_WILDCARD', allow({ Action: 'iam:*Role' }), 'scp'],
  ['ERROR RCP_SYNTAX_ERROR_ALLOW', allow({ Principal: '*' }), 'rcp'],
  ['ERROR RCP_SYNTAX_ERROR_NOTACTION', of({ Effect: 'Deny', NotAction: 's3:*', Resource: '*', Principal: '*' }), 'rcp'],
  [
    'ERROR RCP_SYNTAX_ERROR_PRINCIPAL',
    of({ Effect: 'Deny', Action: 's3:*', Resource: '*', Principal: { AWS: '111122223333' } }),
    'rcp',
  ],
  ['ERROR RCP_SYNTAX_ERROR_ACTION', of({ Effect: 'Deny', Action: 'iam:*', Resource: '*', Principal: '*' }), 'rcp'],
  [
    'WARNING RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY',
    rcp(has('StringNotEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5')),
    'rcp',
  ],
  [
    'WARNING RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY',
    rcp(has('StringNotEquals', 'aws:SourceOrgID', 'o-a1b2c3d4e5')),
    'rcp',
  ],
  [
    'WARNING RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK',
    rcp(has('StringNotEquals', 'aws:SourceOrgID', 'o-a1b2c3d4e5')),
    'rcp',
  ],
  // keys that do not protect
  ['SECURITY_WARNING UNTRUSTWORTHY_CONDITION_KEY', when('StringLike', 'aws:Referer', 'https://example.com/*')],
  ['SECURITY_WARNING MISSING_PAIRED_CONDITION_KEYS', when('IpAddress', 'aws:VpcSourceIp', '10.0.0.0/8')],
  [
    'SECURITY_WARNING STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS',
    when('StringLike', 'aws:SourceArn', 'arn:aws:s3:::b*'),
  ],
  [
    'SECURITY_WARNING DYNAMODB_ATTRIBUTES_WITHOUT_SELECT',
    when('ForAllValues:StringEquals', 'dynamodb:Attributes', 'a', { Action: 'dynamodb:GetItem', Resource: '*' }),
  ],
  [
    'SECURITY_WARNING S3_PREFIX_IN_NEGATIVE_CONTEXT',
    when('StringNotLike', 's3:prefix', 'private/*', { Action: 's3:ListBucket', Resource: '*' }),
  ],
  [
    'SECURITY_WARNING FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE',
    when('ForAnyValue:StringEquals', 'accounts.google.com:aud', 'a'),
  ],
  ['SUGGESTION CONFIRM_AUDIENCE_CLAIM_TYPE', when('ForAllValues:StringEquals', 'accounts.google.com:aud', 'a')],
  ['SUGGESTION EQUIVALENT_TO_NULL_FALSE', when('StringLike', 'aws:username', '*')],
  ['SUGGESTION EQUIVALENT_TO_NULL_TRUE', when('StringNotLike', 'aws:username', '*')],
  ['SUGGESTION REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION', when('StringLikeIfExists', 'aws:username', '*')],
  [
    'SUGGESTION REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION',
    when('ForAnyValue:StringNotLike', 'aws:TagKeys', '*'),
  ],
  ['ERROR WILDCARD_USAGE_TOO_PERMISSIVE', resource(has('StringLike', 'aws:PrincipalOrgID', 'o-*')), 'resource'],
  [
    'ERROR VARIABLE_USAGE_TOO_PERMISSIVE',
    resource(has('StringEquals', 'aws:SourceAccount', '${aws:username}')),
    'resource',
  ],
  [
    'WARNING USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES',
    when('StringEquals', 'aws:VpceAccount', '111122223333', { Action: '*', Resource: '*' }),
  ],
  ['ERROR UNSUPPORTED_GLOBAL_CONDITION_KEY', when('ArnEquals', 'aws:ARN', 'arn:aws:iam::111122223333:user/a')],
  ['ERROR INVALID_REGION', when('StringEquals', 'aws:RequestedRegion', 'Frankfurt')],
  [
    'ERROR INVALID_KMS_KEY_VALUE',
    when('StringEquals', 's3:x-amz-server-side-encryption-aws-kms-key-id', 'alias/a', { Action: 's3:PutObject' }),
  ],
  ['SUGGESTION IMPROVE_IP_RANGE', when('IpAddress', 'aws:SourceIp', '203.0.113.7/24')],
  ['SUGGESTION PRIVATE_IP_ADDRESS_SUBSET', when('IpAddress', 'aws:SourceIp', ['10.0.0.0/8', '203.0.113.0/24'])],
  ['SUGGESTION PRIVATE_NOT_IP_ADDRESS_SUBSET', when('NotIpAddress', 'aws:SourceIp', ['10.0.0.0/8', '203.0.113.0/24'])],
  ['SUGGESTION REDUNDANT_CONDITION_VALUE_NUM', when('NumericLessThan', 'aws:MultiFactorAuthAge', ['2700', '3600'])],
  ['SUGGESTION REDUNDANT_STATEMENT', of(...[1, 2].map((n) => ({ ...JSON.parse(allow()).Statement[0], Sid: `a${n}` })))],
  // keys and actions
  ['ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY', when('StringEquals', 's3:prefix', 'a')],
  // one wildcard of several, and an action of another service
  [
    'ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY',
    when('StringEquals', 's3:prefix', 'a', { Action: ['s3:List*', 's3:GetObject*'], Resource: '*' }),
  ],
  [
    'ERROR UNSUPPORTED_ACTION_FOR_CONDITION_KEY',
    when('StringEquals', 's3:prefix', 'a', { Action: ['s3:ListBucket', 'kms:Decrypt'], Resource: '*' }),
  ],
  [
    'SECURITY_WARNING DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',
    when('StringEquals', 'aws:ResourceTag/a', 'b', {
      Effect: 'Deny',
      Action: 'sso-oauth:CreateTokenWithIAM',
      Resource: '*',
    }),
  ],
  [
    'SUGGESTION ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',
    when('StringEquals', 'aws:ResourceTag/a', 'b', { Action: 'sso-oauth:CreateTokenWithIAM', Resource: '*' }),
  ],
  [
    'SECURITY_WARNING DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',
    of({ Effect: 'Deny', NotAction: 's3:*', Resource: '*', ...has('StringEquals', 'aws:ResourceTag/a', 'b') }),
  ],
  [
    'SUGGESTION ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE',
    of({ Effect: 'Allow', NotAction: 's3:*', Resource: '*', ...has('StringEquals', 'aws:ResourceTag/a', 'b') }),
  ],
  // principals and ARNs
  ['WARNING INVALID_ROLE_REFERENCE', resource({ Principal: { AWS: 'AROAABCDEFGHIJKLMNOPQ' } }), 'resource'],
  ['WARNING INVALID_USER_REFERENCE', resource({ Principal: { AWS: 'AIDAABCDEFGHIJKLMNOPQ' } }), 'resource'],
  [
    'ERROR FEDERATED_PRINCIPAL_NOT_SUPPORTED',
    resource({ Principal: { Federated: 'accounts.google.com' } }),
    'resource',
  ],
  [
    'ERROR INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY',
    trust({ Action: 'sts:AssumeRoleWithSAML', Principal: { Federated: 'a b' } }),
    'trust',
  ],
  ['ERROR ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', trust({ Principal: '*' }), 'trust'],
  [
    'ERROR MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY',
    trust({ Principal: { Service: 'rolesanywhere.amazonaws.com' } }),
    'trust',
  ],
  [
    'SUGGESTION REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY',
    trust({ Principal: { AWS: ['arn:aws:iam::111122223333:role/r', 'arn:aws:sts::111122223333:assumed-role/r/s'] } }),
    'trust',
  ],
  [
    'ERROR UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL',
    resource({
      Principal: { Service: 'sns.amazonaws.com' },
      ...has('StringEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5'),
    }),
    'resource',
  ],
  [
    'SUGGESTION RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL',
    resource({ Principal: { Service: 'ses.amazonaws.com' }, ...has('StringEquals', 'aws:Referer', '111122223333') }),
    'resource',
  ],
  [
    'WARNING SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED',
    trust({
      Action: 'sts:AssumeRoleWithWebIdentity',
      Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com' },
      ...has('StringLike', 'token.actions.githubusercontent.com:sub', 'repo:octo-org/*'),
    }),
    'trust',
  ],
  ['ERROR MISSING_ARN_REGION', allow({ Action: 'kms:Decrypt', Resource: 'arn:aws:kms::111122223333:key/a' })],
  ['ERROR MISSING_ARN_ACCOUNT', allow({ Action: 'kms:Decrypt', Resource: 'arn:aws:kms:us-east-1::key/a' })],
  // sizes
  [
    'ERROR POLICY_SIZE_EXCEEDS_RCP_QUOTA',
    of({ Effect: 'Deny', Action: 's3:*', Principal: '*', Resource: `arn:aws:s3:::${'b'.repeat(5_200)}` }),
    'rcp',
  ],
  [
    'WARNING POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA',
    resource({ Resource: `arn:aws:s3:::${'b'.repeat(20_500)}` }),
    'resource',
  ],
  [
    'WARNING POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA',
    trust(has('StringEquals', 'sts:ExternalId', 'x'.repeat(2_100))),
    'trust',
  ],
  [
    'WARNING UNIQUE_SIDS_RECOMMENDED',
    of(
      ...['a', 'b'].map((key) => ({
        ...JSON.parse(resource({ Resource: `arn:aws:s3:::b/${key}` })).Statement[0],
        Sid: 'a',
      })),
    ),
    'resource',
  ],
  ['SUGGESTION EMPTY_OBJECT_PRINCIPAL', resource({ Principal: {} }), 'resource'],
  ['ERROR INVALID_VERSION', allow().replace(VERSION, '2008-10-17')],
  ['ERROR POLICY_SIZE_EXCEEDS_SCP_QUOTA', allow({ Resource: `arn:aws:s3:::${'b'.repeat(5_200)}` }), 'scp'],
  ['WARNING POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA', allow({ Resource: `arn:aws:s3:::${'b'.repeat(6_200)}` })],
]

describe('The linter', () => {
  test.each(ROWS.map((row) => ({ code: row[0], row })))('finds $code', ({ row: [code, text, kind] }) => {
    expect(codes(text, kind)).toContain(code)
  })

  test.each([
    ['an identity policy', allow(), 'identity'],
    ['one with conditions', when('StringLike', 'aws:PrincipalTag/team', 'a*'), 'identity'],
    ['a variable with a default', allow({ Resource: "arn:aws:s3:::b/${aws:username, 'x'}/${*}" }), 'identity'],
    [
      'a role passed to one service',
      allow({
        Action: 'iam:PassRole',
        Resource: '*',
        Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
      }),
      'identity',
    ],
    ['a trust policy', trust({}), 'trust'],
    ['a resource policy', resource({}), 'resource'],
    ['an SCP', of({ Effect: 'Deny', NotAction: 'iam:*', Resource: '*' }), 'scp'],
    ['an RCP', of({ Effect: 'Deny', Action: 's3:*', Resource: '*', Principal: '*' }), 'rcp'],
    ['a policy that Deny protects', of({ Effect: 'Deny', Action: 'iam:PassRole', Resource: '*' }), 'identity'],
  ] as const)('finds nothing in %s', (_, text, kind) => {
    expect(lint(text, kind)).toEqual([])
  })

  test('warns of a missing version, and finds no error in it', () => {
    expect(codes(JSON.stringify({ Statement: JSON.parse(allow()).Statement }))).toEqual(['WARNING MISSING_VERSION'])
  })

  test('says of a document that is too long that it is', () => {
    const [finding, ...others] = lint(allow({ Resource: 'x'.repeat(1_100_000) }))
    expect(finding).toMatchObject({ findingType: 'ERROR', issueCode: 'POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA' })
    expect(others).toEqual([])
    const long = of({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${'b'.repeat(140_000)}` })
    expect(codes(long)).toEqual(['WARNING POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA'])
  })

  test('knows services whose ARNs or keys have another name than their actions', () => {
    const catalog = {
      Action: 'servicecatalog:ListLaunchPaths',
      Resource: 'arn:aws:catalog:us-east-1:111122223333:product/p',
    }
    expect(codes(allow(catalog))).toEqual([])
    expect(codes(when('StringEquals', 'servicecatalog:userLevel', 'self', { ...catalog }))).not.toContain(
      'ERROR INVALID_SERVICE_CONDITION_KEY',
    )
    expect(codes(allow({ Action: 'aws-marketplace:Subscribe', Resource: '*' }))).toEqual([])
  })

  test('knows what a policy is on', () => {
    const of = (text: string) =>
      lintWith(text, 'resource', reference, { resourceType: 'AWS::S3::Bucket' }).map(({ issueCode }) => issueCode)
    expect(of(resource({}))).toEqual([])
    expect(of(resource({ Action: 'kms:Decrypt' }))).toContain('UNSUPPORTED_ACTION_IN_POLICY')
    expect(of(resource({ Resource: 'arn:aws:kms:us-east-1:111122223333:key/a' }))).toContain(
      'UNSUPPORTED_RESOURCE_ARN_IN_POLICY',
    )
  })

  test('warns of keys that no request to this server has', () => {
    const absent = (key: string) => (key === 'aws:SourceVpc' ? 'there are no VPCs' : undefined)
    const found = lintWith(when('StringEquals', 'aws:SourceVpc', 'vpc-11223344'), 'identity', { ...reference, absent })
    expect(found).toMatchObject([
      {
        findingType: 'WARNING',
        issueCode: 'CONDITION_KEY_NOT_SUPPLIED',
        findingDetails: expect.stringContaining('there are no VPCs'),
      },
    ])
  })

  test('ends within its budget', () => {
    const text = allow({ Action: Array.from({ length: 8_000 }, (_, n) => `ec2:*${n}`) })
    expect(() => lint(text)).toThrow(BudgetError)
  })

  test('finds no error in any policy that AWS manages', async () => {
    const wrong = (await awsPolicies()).flatMap(([arn, { versions }]) =>
      lint(versions[0]!.text)
        .filter(({ findingType }) => findingType === 'ERROR')
        .map(({ issueCode, findingDetails }) => `${arn} ${issueCode} ${findingDetails}`),
    )
    expect(wrong).toEqual([])
  }, 120_000)

  test('says where: the path and the span, lines from one, columns and offsets from nought', () => {
    const text =
      '{\n  "Version": "2012-10-17",\n  "Statement": [\n    { "Effect": "Allow", "Action": ["s3:GetObject", "s3:Nope"], "Resource": "*" }\n  ]\n}'

    const [{ locations, learnMoreLink }] = lint(text) as [ReturnType<typeof lint>[number]]

    expect(locations).toEqual([
      {
        path: [{ value: 'Statement' }, { index: 0 }, { value: 'Action' }, { index: 1 }],
        span: {
          start: { line: 4, column: 52, offset: text.indexOf('"s3:Nope"') },
          end: { line: 4, column: 61, offset: text.indexOf('"s3:Nope"') + 9 },
        },
      },
    ])
    expect(learnMoreLink).toMatch(/#access-analyzer-reference-policy-checks-error-invalid-action$/)
  })

  test('calls an error whatever IAM would refuse, and nothing else that IAM takes for a policy', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('*', 's3:GetObject', 'arn:aws:s3:::b', 'Allow', VERSION, '', '${', 'aws:username'),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 2 }),
        tie('object'),
      ),
      object: fc.dictionary(
        fc.constantFrom(
          'Version',
          'Statement',
          'Effect',
          'Action',
          'NotAction',
          'Resource',
          'Principal',
          'Condition',
          'AWS',
          'StringEquals',
          'Sid',
        ),
        tie('value'),
        { maxKeys: 5 },
      ),
    })).object
    fc.assert(
      fc.property(
        json,
        fc.constantFrom<PolicyKind>('identity', 'resource', 'trust', 'scp', 'rcp'),
        (document, kind) => {
          const text = JSON.stringify(document)
          const isError = lint(text, kind).some(({ findingType }) => findingType === 'ERROR')
          if (isError || !Object.hasOwn(document as object, 'Version')) return
          expect(() => parsePolicy(text, kind)).not.toThrow()
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('answers any input', () => {
    const strange = [
      '',
      ' ',
      '\u0000',
      '{'.repeat(100_000),
      '['.repeat(100_000),
      `"${'a'.repeat(1_000_000)}"`,
      '\ud800',
      '{"Statement":"\ud800"}',
      'null',
      '1',
    ]
    for (const text of strange) expect(lint(text).some(({ findingType }) => findingType === 'ERROR')).toBe(true)
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.nat(), (noise, at) => {
        const text = allow()
        expect(Array.isArray(lint(text.slice(0, at % text.length) + noise + text.slice(at % text.length)))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

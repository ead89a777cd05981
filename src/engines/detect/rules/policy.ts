/** Policy changes that open or weaken: S3 access, Block Public Access, logging, the password policy, the root user. */

import { bucketResource } from '../finding.ts'
import { at, isObject, itemsOf, textOf } from '../normalize/json.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { ApiEvent, Json } from '../types.ts'

const S3_TYPES = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-s3.html'
const IAM_TYPES = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html'

type Audience = 'everyone' | 'awsUsers'

const GRANTED: Readonly<Record<Audience, string>> = {
  everyone: 'Policy:S3/BucketAnonymousAccessGranted',
  awsUsers: 'Policy:S3/BucketPublicAccessGranted',
}
const CANNED: Readonly<Record<string, Audience>> = {
  'public-read': 'everyone',
  'public-read-write': 'everyone',
  'authenticated-read': 'awsUsers',
}
const GROUPS: Readonly<Record<string, Audience>> = {
  'http://acs.amazonaws.com/groups/global/AllUsers': 'everyone',
  'http://acs.amazonaws.com/groups/global/AuthenticatedUsers': 'awsUsers',
}

const granted = (event: ApiEvent, audience: Audience, detail: string): Detection => ({
  type: GRANTED[audience],
  detail,
  resource: bucketResource(event, 'PUBLIC'),
})

/** CloudTrail shows the policy as JSON; some tools write it as text. */
const documentOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : isObject(value) ? JSON.stringify(value) : ''

export const bucketPolicyOpened: RuleFactory = ({ lookups }): Rule => ({
  name: 's3-bucket-policy-opened',
  types: Object.values(GRANTED),
  source: S3_TYPES,
  actions: ['PutBucketPolicy'],
  api: (event) => {
    if (event.service !== 's3' || event.errorCode !== '') return NONE
    const document = documentOf(event.request.bucketPolicy ?? event.request.policy)
    const exposure = document === '' ? undefined : lookups.configuration.publicAccess?.(document, event.account)
    return exposure?.anonymous || exposure?.anyAccount
      ? [granted(event, exposure.anonymous ? 'everyone' : 'awsUsers', 'sets a bucket policy that is public')]
      : NONE
  },
})

const listed = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map((each) => textOf(each)) : [textOf(value)]

export const bucketAclOpened: RuleFactory = (): Rule => ({
  name: 's3-bucket-acl-opened',
  types: Object.values(GRANTED),
  source: S3_TYPES,
  actions: ['PutBucketAcl', 'CreateBucket'],
  api: (event) => {
    if (event.service !== 's3' || event.errorCode !== '') return NONE
    const { request } = event
    const canned = listed(request['x-amz-acl'] ?? request.accessControl ?? request.acl).flatMap((name) =>
      Object.hasOwn(CANNED, name) ? [CANNED[name]!] : [],
    )
    const grants = at(request.AccessControlPolicy, 'AccessControlList', 'Grant')
    const groups = (isObject(grants) ? [grants] : itemsOf(grants)).flatMap((grant) => {
      const uri = textOf(at(grant, 'Grantee', 'URI'))
      return Object.hasOwn(GROUPS, uri) ? [GROUPS[uri]!] : []
    })
    const audiences = new Set([...canned, ...groups])
    return [...audiences].sort().map((each) => granted(event, each, 'sets a public access control list'))
  },
})

const SETTINGS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets']

/** The settings that the call switches off. A deletion switches all off. */
function switchedOff({ action, request }: ApiEvent): readonly string[] {
  if (action.startsWith('Delete')) return SETTINGS
  const configuration = request.PublicAccessBlockConfiguration ?? request.publicAccessBlockConfiguration
  const isOff = (name: string): boolean => {
    const value = at(configuration, name) ?? at(configuration, `${name[0]!.toLowerCase()}${name.slice(1)}`)
    return isObject(configuration) && (value === false || value === 'false' || value === undefined)
  }
  return SETTINGS.filter(isOff)
}

export const blockPublicAccessDisabled: RuleFactory = (): Rule => ({
  name: 's3-block-public-access-disabled',
  types: ['Policy:S3/BucketBlockPublicAccessDisabled', 'Policy:S3/AccountBlockPublicAccessDisabled'],
  source: S3_TYPES,
  actions: [
    'PutBucketPublicAccessBlock',
    'DeleteBucketPublicAccessBlock',
    'PutPublicAccessBlock',
    'DeletePublicAccessBlock',
    'PutAccountPublicAccessBlock',
    'DeleteAccountPublicAccessBlock',
  ],
  api: (event) => {
    if ((event.service !== 's3' && event.service !== 's3control') || event.errorCode !== '') return NONE
    const off = switchedOff(event)
    if (off.length === 0) return NONE
    const isAccount = event.action.includes('Account') || textOf(event.request.bucketName) === ''
    return [
      {
        type: `Policy:S3/${isAccount ? 'Account' : 'Bucket'}BlockPublicAccessDisabled`,
        detail: `switches off ${off.join(', ')}`,
      },
    ]
  },
})

export const accessLoggingDisabled: RuleFactory = (): Rule => ({
  name: 's3-access-logging-disabled',
  types: ['Stealth:S3/ServerAccessLoggingDisabled'],
  source: S3_TYPES,
  actions: ['PutBucketLogging'],
  api: (event) => {
    if (event.service !== 's3' || event.errorCode !== '') return NONE
    const status = event.request.BucketLoggingStatus ?? event.request.bucketLoggingStatus
    const isOn = at(status, 'LoggingEnabled') !== undefined || at(status, 'loggingEnabled') !== undefined
    return isOn ? NONE : [{ type: 'Stealth:S3/ServerAccessLoggingDisabled', detail: 'stops server access logging' }]
  },
})

/** What each member must at least be; less is weak. Source: the CIS AWS Foundations Benchmark, sections 1.8 and 1.9. */
function weaknesses({ request }: ApiEvent): readonly string[] {
  const length = Number(request.minimumPasswordLength ?? 6)
  const reuse = Number(request.passwordReusePrevention ?? 0)
  return [
    ...(length < 14 ? [`a minimum length of ${length}`] : []),
    ...(reuse < 1 ? ['reuse of passwords'] : []),
    ...(['requireNumbers', 'requireSymbols', 'requireUppercaseCharacters', 'requireLowercaseCharacters'] as const)
      .filter((name) => request[name] !== true && request[name] !== 'true')
      .map((name) => `no ${name}`),
  ]
}

export const passwordPolicyChanged: RuleFactory = (): Rule => ({
  name: 'iam-password-policy-weakened',
  types: ['Stealth:IAMUser/PasswordPolicyChange'],
  source: IAM_TYPES,
  actions: ['UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy'],
  api: (event) => {
    if (event.service !== 'iam' || event.errorCode !== '') return NONE
    const isDeleted = event.action === 'DeleteAccountPasswordPolicy'
    const weak = isDeleted ? [] : weaknesses(event)
    if (!isDeleted && weak.length === 0) return NONE
    const detail = isDeleted ? 'deletes the password policy' : `allows ${weak.join(', ')}`
    return [{ type: 'Stealth:IAMUser/PasswordPolicyChange', detail }]
  },
})

export const rootCredentialUsage: RuleFactory = (): Rule => ({
  name: 'iam-root-credentials-used',
  types: ['Policy:IAMUser/RootCredentialUsage'],
  source: IAM_TYPES,
  api: ({ principal }) =>
    principal.type === 'Root' && principal.invokedBy === undefined
      ? [{ type: 'Policy:IAMUser/RootCredentialUsage' }]
      : NONE,
})

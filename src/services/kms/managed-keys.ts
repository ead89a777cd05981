/** The keys that AWS manages, one a service and account. */
import type { Call } from '../../kernel/gate/call.ts'
import { addAlias } from './alias-rows.ts'
import { rootOf } from './grant-authority.ts'
import { PERIOD_DAYS_DEFAULT, withRotation } from './key-jobs.ts'
import { newKey } from './new-key.ts'
import { ALIAS_PREFIX, alias, aliasArn } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { DAY_MS } from './words.ts'

/** `alias/aws/secretsmanager` in a call that Secrets Manager forwards: created on first use, for no other service. */
export async function ensureManagedKey(call: Call, text: string): Promise<void> {
  const prefix = aliasArn(call, ALIAS_PREFIX)
  const name = text.startsWith(prefix) ? ALIAS_PREFIX + text.slice(prefix.length) : text
  const service = /^alias\/aws\/([a-z0-9-]+)$/.exec(name)?.[1]
  if (service === undefined || call.via.at(-1) !== `${service}.amazonaws.com`) return
  if (!(await alias.get(call.unit, call, { name }))) await createManagedKey(call, service, name)
}

/** In the unit of the call that needs it: a refused call leaves no key behind. */
async function createManagedKey(call: Call, service: string, name: string): Promise<void> {
  const created = await newKey(call, {
    id: call.newId(),
    account: call.account,
    region: call.region,
    createdAt: call.now,
    description: `Default key that protects my ${service} data when no other key is defined`,
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'AWS',
    tags: {},
    policy: managedPolicy(call, service),
    bypassLockoutCheck: true,
  })
  const rotating: KeyRow = withRotation(
    call.unit,
    created,
    PERIOD_DAYS_DEFAULT,
    call.now + PERIOD_DAYS_DEFAULT * DAY_MS,
  )
  addAlias(call, rotating, name)
}

/**
 * Every principal of the account may use it, but only through the service; no principal may manage it.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
 */
function managedPolicy({ account, region }: Pick<Call, 'account' | 'region'>, service: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${service}-1`,
    Statement: [
      {
        Sid: `Allow access through ${service} for all principals in the account that are authorized to use ${service}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `${service}.${region}.amazonaws.com` },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: rootOf(account) },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  })
}

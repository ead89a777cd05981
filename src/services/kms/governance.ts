/** What a key policy must be before it governs a key, and what keeps one from locking all principals out. */
import type { Call } from '../../kernel/gate/call.ts'
import { compilePinned, type Pinned, type Pins, pinPolicy } from '../../kernel/resource/pinned.ts'
import {
  type CompiledPolicy,
  Context,
  compilePolicy,
  compileSet,
  decide,
  PolicyError,
  readPolicy,
} from '../../policy/index.ts'
import { rootOf } from './grant-authority.ts'
import { keyArn } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { kms } from './words.ts'

/** The only name a key's policy may have. */
export const NAME = 'default'
/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const BYTES_MAX = 32_768

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
export function defaultPolicy(account: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: rootOf(account) },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  })
}

/** The members of a key's row that its policy fills; spread them. */
export async function governed(
  call: Call,
  text: string,
  place: Pick<KeyRow, 'account' | 'region' | 'id'>,
  bypassLockoutCheck: boolean | undefined,
): Promise<Pick<KeyRow, 'policy' | 'pins'>> {
  if (Buffer.byteLength(text) > BYTES_MAX) {
    throw kms.fail('LimitExceededException', `The policy exceeds the quota of ${BYTES_MAX} bytes.`)
  }
  const { pins, missing } = await pinned(call, text)
  if (missing.length > 0) {
    throw malformed('Policy contains a statement with one or more invalid principals.')
  }
  if (!bypassLockoutCheck && !mayPutPolicy(call, text, pins, place)) {
    throw malformed('The new key policy will not allow you to update the key policy in the future.')
  }
  return { policy: text, pins }
}

async function pinned(call: Call, text: string): Promise<Pinned> {
  try {
    return await pinPolicy(call, text)
  } catch (error) {
    if (error instanceof PolicyError) throw malformed(error.message)
    throw error
  }
}

const malformed = (message: string) => kms.fail('MalformedPolicyDocumentException', message)

const everything: CompiledPolicy = compilePolicy(
  readPolicy('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}', 'identity'),
  { id: 'everything', kind: 'identity' },
)

/**
 * By the new policy alone: other missing permissions can be granted later, but a policy that locks the caller out
 * cannot be fixed.
 */
function mayPutPolicy(call: Call, text: string, pins: Pins, place: Pick<KeyRow, 'account' | 'region' | 'id'>): boolean {
  const { principal } = call.caller
  const arn = 'arn' in principal ? (principal.kind === 'role-session' ? principal.roleArn : principal.arn) : undefined
  const context = new Context({
    'kms:CallerAccount': call.account,
    'aws:PrincipalAccount': call.account,
    'aws:PrincipalArn': arn,
    'aws:ResourceAccount': place.account,
    'aws:RequestedRegion': place.region,
    'aws:SecureTransport': 'true',
    'aws:CurrentTime': new Date(call.now).toISOString(),
  })
  return decide(
    {
      principal,
      action: 'kms:PutKeyPolicy',
      resource: keyArn(place, place.id),
      resourceAccount: place.account,
      context,
    },
    {
      identity: compileSet([everything]),
      resource: compilePinned(text, pins, { id: NAME, kind: 'resource' }),
      resourceMode: 'required',
    },
  ).allowed
}

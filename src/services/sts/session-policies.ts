/** Session policies: what a request may add to narrow the session it requests, and the space they and the tags take. */
import { deflateRawSync } from 'node:zlib'
import type { Call } from '../../kernel/gate/call.ts'
import type { Session } from '../../kernel/gate/session.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { sts } from './words.ts'

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length */
const INLINE_LENGTH_MAX = 2048
const ARNS_MAX = 10
/** The scale of PackedPolicySize is ours: AWS does not publish its packed form. */
const PACKED_BYTES_MAX = 2048

export interface SessionPolicyInput {
  readonly Policy?: string | undefined
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined
}

/** Checked against the account in which the session will live, whose managed policies may be named. */
export async function sessionPolicies(
  call: Call,
  account: string,
  { Policy, PolicyArns = [] }: SessionPolicyInput,
): Promise<Pick<Session, 'policies' | 'policyArns'>> {
  if (Policy !== undefined) checkInline(Policy)
  if (PolicyArns.length > ARNS_MAX) throw tooLong('policyArns', ARNS_MAX)
  const arns = PolicyArns.map(({ arn }) => arn ?? '')
  for (const arn of arns) {
    if (await call.ports.identity.managedPolicy(call.unit, arn, account)) continue
    throw sts.fail('MalformedPolicyDocumentException', `Policy ${arn} does not exist or is not attachable.`)
  }
  return {
    ...(Policy !== undefined && { policies: [Policy] }),
    ...(arns.length > 0 && { policyArns: arns }),
  }
}

/** How full the session is, in per cent; undefined when the request brought neither policies nor tags. */
export function packedSize(policies: Pick<Session, 'policies' | 'policyArns'>, tags: Tags): number | undefined {
  const parts = [...(policies.policies ?? []), ...(policies.policyArns ?? []), ...Object.entries(tags).flat()]
  if (parts.length === 0) return undefined
  const percent = Math.ceil((deflateRawSync(parts.join('\n')).length * 100) / PACKED_BYTES_MAX)
  if (percent > 100) {
    throw sts.fail(
      'PackedPolicyTooLargeException',
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
    )
  }
  return percent
}

function checkInline(text: string): void {
  if (text.length > INLINE_LENGTH_MAX) throw tooLong('policy', INLINE_LENGTH_MAX)
  try {
    parsePolicy(text, 'session')
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw sts.fail('MalformedPolicyDocumentException', error.message)
  }
}

/** The service enforces these, though its model does not say so. */
function tooLong(member: string, max: number): Fault {
  return new Fault(
    'ValidationError',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${max}`,
  )
}

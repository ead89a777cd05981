/** The role a request wants to become: what is asked on it is decided by its trust policy. */
import { type Arn, parseArn } from '../../kernel/arn.ts'
import type { Call } from '../../kernel/call.ts'
import type { AssumableRole } from '../../kernel/ports.ts'
import type { Acted, Found, Target } from '../../kernel/resource.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { inheritedTags, overlaid } from './session-tags.ts'

/** What a missing role trusts: nobody. So missing and forbidden are decided, and sound, the same. */
const trustsNobody: CompiledPolicy = {
  source: { id: 'trust', kind: 'trust' },
  policy: { version: '2012-10-17', id: undefined, kind: 'trust', statements: [] },
  statements: [],
}

/** Throws for a text that is no ARN, or names nothing. */
export function parsedRoleArn(text: string): Arn {
  const arn = parseArn(text)
  if (!arn?.resource) throw new Fault('ValidationError', `${text} is invalid`)
  return arn
}

export const assumedRole: Target<{ readonly RoleArn: string }, AssumableRole> = {
  find: async (call, { RoleArn }): Promise<Found<AssumableRole>> => {
    parsedRoleArn(RoleArn)
    const role = await call.ports.identity.role(call.unit, RoleArn)
    return {
      acted: asTrusted(call, RoleArn, role),
      row: role,
      missing: () => new Fault('AccessDenied', `Not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`),
    }
  },
}

/** The role as decisions see it: its trust policy is the root of authority, whoever asks. */
export function asTrusted(call: Call, arn: string, role: AssumableRole | undefined): Acted {
  return {
    arn,
    type: 'AWS::IAM::Role',
    account: parseArn(arn)!.account,
    // AWS: in a chain, inherited tags take the place of the role's own in `aws:ResourceTag`.
    tags: role && overlaid(role.tags, inheritedTags(call.caller.session)),
    policy: role?.trust ?? trustsNobody,
    claimed: role === undefined,
    policyMode: 'required',
  }
}

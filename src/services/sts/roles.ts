/** The role that a request assumes: its trust policy decides. */
import type { Call } from '../../kernel/gate/call.ts'
import type { AssumableRole } from '../../kernel/ports/ports.ts'
import { type Arn, parseArn } from '../../kernel/resource/arn.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { inheritedTags, overlaid } from './session-tags.ts'

/** A missing role trusts no principal: missing and forbidden roles get the same decision and the same answer. */
const emptyTrust: CompiledPolicy = {
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
  find: async (call, { RoleArn }): Promise<ResolvedTarget<AssumableRole>> => {
    parsedRoleArn(RoleArn)
    const role = await call.ports.identity.role(call.unit, RoleArn)
    return {
      acted: asTrusted(call, RoleArn, role),
      row: role,
      missing: () => new Fault('AccessDenied', `Not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`),
    }
  },
}

/** The role as decisions see it: its trust policy is the root of authority for every caller. */
export function asTrusted(call: Call, arn: string, role: AssumableRole | undefined): ResourceFacts {
  return {
    arn,
    type: 'AWS::IAM::Role',
    account: parseArn(arn)!.account,
    // AWS: in a chain, inherited tags take the place of the role's own in `aws:ResourceTag`.
    tags: role && overlaid(role.tags, inheritedTags(call.caller.session)),
    policy: role?.trust ?? emptyTrust,
    claimed: role === undefined,
    policyMode: 'required',
  }
}

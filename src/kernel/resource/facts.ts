/** What authorization and the audit log see of a resource. */
import type { CompiledPolicy, CompiledStatement } from '../../policy/index.ts'
import type { Conditions } from './conditions.ts'

export type Tags = Readonly<Record<string, string>>

/** What every row may carry; tags drive `aws:ResourceTag/*`. */
export interface Row {
  readonly tags?: Tags
}

/** A resource as authorization and the audit log see it. */
export interface ResourceFacts {
  readonly arn: string
  /** CloudFormation's name of the type, as CloudTrail shows it: `AWS::IAM::User`. */
  readonly type: string
  readonly account: string
  readonly tags?: Tags | undefined
  /** Condition keys of the resource and of how it was reached: every permission check on it has them. */
  readonly conditions?: Conditions | undefined
  /** The policy on the resource itself. */
  readonly policy?: CompiledPolicy | undefined
  /** Only the caller says that it exists: its supposed owner gets no event. */
  readonly claimed?: boolean | undefined
  /** `required` where the resource policy is the root of authority: role trust, KMS key policies. */
  readonly policyMode?: 'optional' | 'required' | undefined
  /** What the owner granted beside the policy: KMS grants, as allowing statements. */
  readonly grants?: readonly CompiledStatement[] | undefined
  /** Managed by AWS on its owner's behalf: resource control policies do not bind it. */
  readonly aboveRcps?: boolean | undefined
  /** The caller did not name it: a denial has this message, the one for a resource that does not exist. */
  readonly concealed?: string | undefined
  /**
   * What the caller wrote, where it is not the ARN: a partial ARN, an alias, a name without its path. A denial names
   * this, because the ARN would show that the resource exists.
   */
  readonly requested?: string | undefined
}

/** The permission to tag what an operation creates. */
export interface TagAuthorization {
  /** `lambda:TagResource` */
  readonly action: string
  /** `aws:RequestTag/…` and `aws:TagKeys`: of the operation's own actions, too. */
  readonly conditions: Conditions
  /** The resource to be tagged, where the operation itself is authorized on another or on none. */
  readonly acted?: ResourceFacts | undefined
}

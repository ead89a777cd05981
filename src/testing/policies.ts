/**
 * Policies in files, decided without a server: as IAM would decide.
 *
 * @example
 * const policies = loadPolicies({ identity: ['policies/developer.json'], scps: [['policies/root-scp.json']] })
 * expect(policies.decide({ principal: 'arn:aws:iam::123456789012:user/ann', action: 's3:GetObject', resource: 'arn:aws:s3:::logs/a' })).toMatchObject({ allowed: true })
 */
import { readFileSync } from 'node:fs'
import { accountIn, contextOf } from '../policy/account/principal-context.ts'
import {
  type CompiledPolicy,
  type ContextValue,
  compilePolicy,
  type Explanation,
  explain,
  type Layers,
  type PolicyKind,
  parsePolicy,
  principalFromArn,
} from '../policy/index.ts'

/** A file's path, or a policy document. */
export type PolicyInput = string | object

export interface PolicyInputs {
  /** The caller's own policies, those of its groups among them. */
  readonly identity?: readonly PolicyInput[]
  /** The caller's permissions boundary. */
  readonly boundary?: PolicyInput
  readonly session?: readonly PolicyInput[]
  /** The resource's policy. */
  readonly resource?: PolicyInput
  /** The policy of a KMS key, which must allow. */
  readonly keyPolicy?: PolicyInput
  /** The trust policy of a role, which must allow. */
  readonly trust?: PolicyInput
  /** Service control policies: a list for each level, from the organization's root down. */
  readonly scps?: readonly (readonly PolicyInput[])[]
  /** Resource control policies, in the same way. */
  readonly rcps?: readonly (readonly PolicyInput[])[]
}

export interface PolicyRequest {
  /** The ARN of a user, role, role session or root; a service such as `lambda.amazonaws.com`; or `anonymous`. */
  readonly principal: string
  readonly principalTags?: Readonly<Record<string, string>>
  /** `s3:GetObject` */
  readonly action: string
  /** An ARN. Default: `*`. */
  readonly resource?: string
  /** Default: the account of the resource's ARN, or the caller's. */
  readonly resourceAccount?: string
  /** Condition keys: `{ 'aws:SourceIp': '10.0.0.1' }`. */
  readonly context?: Readonly<Record<string, ContextValue>>
}

export interface LoadedPolicies {
  /** Why a request is allowed or denied: {@link Explanation}. Throws a `TypeError` for a principal that is none. */
  decide(request: PolicyRequest): Explanation
}

/** Reads and checks the policies. Throws a `PolicyError` with the file and the place of the first mistake. */
export function loadPolicies(inputs: PolicyInputs): LoadedPolicies {
  const { identity = [], boundary, session, resource, keyPolicy, trust, scps, rcps } = inputs
  const own = [resource, keyPolicy, trust].filter((policy) => policy !== undefined)
  if (own.length > 1) throw new TypeError('A resource has one policy: give one of resource, keyPolicy and trust.')
  const layers: Layers = {
    identity: identity.map((input) => load(input, 'identity')),
    boundary: loadOne(boundary, 'boundary'),
    session: session?.map((input) => load(input, 'session')),
    resource: loadOne(resource ?? keyPolicy, 'resource') ?? loadOne(trust, 'trust'),
    resourceMode: keyPolicy || trust ? 'required' : 'optional',
    scps: scps?.map((level) => level.map((input) => load(input, 'scp'))),
    rcps: rcps?.map((level) => level.map((input) => load(input, 'rcp'))),
  }
  return {
    decide({ principal: written, principalTags, action, resource = '*', resourceAccount, context = {} }) {
      const principal = principalFromArn(written, principalTags)
      if (!principal) throw new TypeError(`'${written}' is no principal: give an ARN, a service, or 'anonymous'.`)
      const own = 'account' in principal ? principal.account : undefined
      const account = resourceAccount ?? accountIn(resource) ?? own
      const keys = contextOf(principal, account)
      for (const [key, value] of Object.entries(context)) keys.set(key, value)
      return explain({ principal, action, resource, resourceAccount: account ?? '', context: keys }, layers)
    },
  }
}

const loadOne = (input: PolicyInput | undefined, kind: PolicyKind) =>
  input === undefined ? undefined : load(input, kind)

function load(input: PolicyInput, kind: PolicyKind): CompiledPolicy {
  const text = typeof input === 'string' ? readFileSync(input, 'utf8').replace(/^\ufeff/, '') : JSON.stringify(input)
  const id = typeof input === 'string' ? input : `${kind} policy`
  try {
    return compilePolicy(parsePolicy(text, kind), { id, kind })
  } catch (error) {
    if (error instanceof Error) error.message = `${id}: ${error.message}`
    throw error
  }
}

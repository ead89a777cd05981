/**
 * The request context: every global condition key a request can carry, with the rule when each is present.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import { Context } from '../../policy/index.ts'
import type { OrganizationContext } from '../ports/ports.ts'
import { type LazyConditions, resourceTagPrefix } from '../resource/condition-keys.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import type { Caller } from './caller.ts'
import type { ServiceCaller } from './service-caller.ts'

export interface RequestFacts {
  readonly caller: Caller
  readonly region: string
  /** Of the caller's account, of the resource's owner, and of the account that a service acts for. */
  readonly standing: OrganizationContext | undefined
  readonly ownerStanding: OrganizationContext | undefined
  readonly sourceStanding: OrganizationContext | undefined
  readonly now: number
  readonly sourceAddress: string
  readonly secure: boolean
  readonly userAgent: string | undefined
  readonly referer: string | undefined
  /** Services that carry this call on their caller's behalf, outermost first. */
  readonly via: readonly string[]
  /** Set when the caller is a service. */
  readonly acting?: ServiceCaller | undefined
}

export function requestContext(
  facts: RequestFacts,
  acted: ResourceFacts | undefined,
  input: object | undefined,
  conditions: LazyConditions,
): Context {
  return new Context((context) => fill(context, facts, acted, input, conditions))
}

function fill(
  context: Context,
  facts: RequestFacts,
  acted: ResourceFacts | undefined,
  input: object | undefined,
  conditions: LazyConditions,
): void {
  const { caller } = facts
  const { principal, session } = caller
  const set = (key: string, value: string | readonly string[] | undefined) => {
    if (value !== undefined) context.set(key, value)
  }

  context.set('aws:CurrentTime', () => new Date(facts.now).toISOString())
  set('aws:EpochTime', String(Math.floor(facts.now / 1000)))
  set('aws:RequestedRegion', facts.region)
  set('aws:SecureTransport', String(facts.secure))
  set('aws:UserAgent', facts.userAgent)
  set('aws:Referer', facts.referer)
  set('aws:ViaAWSService', String(facts.via.length > 0))
  if (facts.via.length > 0) {
    set('aws:CalledVia', facts.via)
    set('aws:CalledViaFirst', facts.via[0])
    set('aws:CalledViaLast', facts.via.at(-1))
  } else if (!facts.acting) {
    set('aws:SourceIp', facts.sourceAddress)
  }

  if (principal.kind === 'service' || principal.kind === 'anonymous') {
    set('aws:PrincipalType', principal.kind === 'service' ? 'AWSService' : 'Anonymous')
    set('aws:PrincipalIsAWSService', String(principal.kind === 'service'))
    if (principal.kind === 'service') {
      set('aws:PrincipalServiceName', principal.name)
      set('aws:PrincipalServiceNamesList', [principal.name])
    } else {
      set('aws:PrincipalAccount', 'anonymous')
      set('aws:userid', 'anonymous')
    }
  } else {
    set('aws:PrincipalAccount', principal.account)
    set('aws:PrincipalArn', principal.kind === 'role-session' ? principal.roleArn : principal.arn)
    set('aws:PrincipalType', PRINCIPAL_TYPE[principal.kind])
    set('aws:PrincipalIsAWSService', 'false')
    set('aws:userid', principal.userId)
    if (principal.kind === 'user') set('aws:username', principal.name)
    const { tags } = principal
    for (const key of Object.keys(tags)) set(`aws:PrincipalTag/${key}`, tags[key])
  }

  if (facts.acting) {
    set('aws:SourceArn', facts.acting.source)
    set('aws:SourceAccount', facts.acting.account)
    set('aws:SourceOrgID', facts.sourceStanding?.organization)
    set('aws:SourceOrgPaths', facts.sourceStanding && [facts.sourceStanding.path])
  }
  if (facts.standing) {
    set('aws:PrincipalOrgID', facts.standing.organization)
    set('aws:PrincipalOrgPaths', [facts.standing.path])
  }
  if (acted && facts.ownerStanding) {
    set('aws:ResourceOrgID', facts.ownerStanding.organization)
    set('aws:ResourceOrgPaths', [facts.ownerStanding.path])
  }
  if (session) {
    if (session.assumedRoot) set('aws:AssumedRoot', 'true')
    set('aws:TokenIssueTime', new Date(session.issuedAt).toISOString())
    set('aws:MultiFactorAuthPresent', String(session.mfaAt !== undefined))
    if (session.mfaAt !== undefined) {
      set('aws:MultiFactorAuthAge', String(Math.floor((facts.now - session.mfaAt) / 1000)))
    }
    set('aws:SourceIdentity', session.sourceIdentity)
    for (const [key, value] of Object.entries(session.federation ?? {})) set(key, value)
  }

  if (acted) {
    set('aws:ResourceAccount', acted.account)
    const ownPrefix = resourceTagPrefix(acted.arn)
    const { tags = {} } = acted
    for (const key of Object.keys(tags)) {
      set(`aws:ResourceTag/${key}`, tags[key])
      if (ownPrefix !== undefined) set(ownPrefix + key, tags[key])
    }
  }
  const tags = requestTags(input)
  if (tags) {
    for (const [key, value] of tags.pairs) set(`aws:RequestTag/${key}`, value)
    set('aws:TagKeys', tags.keys)
  }
  const { conditions: known = {} } = acted ?? {}
  // Not by pairs: this is done for most calls, and each pair would be an array.
  for (const key of Object.keys(known)) set(key, known[key])
  for (const key of Object.keys(conditions)) {
    const value = conditions[key]
    if (value !== undefined) context.set(key, value)
  }
}

const PRINCIPAL_TYPE = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const

interface RequestTags {
  readonly pairs: readonly (readonly [string, string])[]
  readonly keys: readonly string[]
}

/** The tags a request brings: `Tags` as pairs (in AWS's spellings) or as a map, or the bare `TagKeys` of an untagging. */
function requestTags(input: object | undefined): RequestTags | undefined {
  if (!input) return undefined
  const { Tags, tags, TagKeys, tagKeys } = input as Record<string, unknown>
  const given = Tags ?? tags
  if (Array.isArray(given)) {
    const pairs = given.map(
      (tag) => [tag.Key ?? tag.TagKey ?? tag.key, tag.Value ?? tag.TagValue ?? tag.value ?? ''] as const,
    )
    return pairs.length > 0 ? { pairs, keys: pairs.map(([key]) => key) } : undefined
  }
  if (given !== null && typeof given === 'object') {
    const pairs = Object.entries(given as Record<string, string>)
    return pairs.length > 0 ? { pairs, keys: pairs.map(([key]) => key) } : undefined
  }
  const keys = TagKeys ?? tagKeys
  return Array.isArray(keys) && keys.length > 0 ? { pairs: [], keys } : undefined
}

/** The resource types of AWS WAF. Requests name them by name, ID and scope; other services by ARN. */
import type {
  ApplicationConfig,
  AssociationConfig,
  CaptchaConfig,
  ChallengeConfig,
  CustomResponseBody,
  DataProtectionConfig,
  DefaultAction,
  FirewallManagerRuleGroup,
  IPAddressVersion,
  Rule,
  VisibilityConfig,
  Scope as WafScope,
} from '@aws-sdk/client-wafv2'
import type { Json } from '../../engines/waf/json.ts'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Reference, ResourceType } from '../../kernel/resource/resource-type.ts'
import type { StoredPolicy } from '../../kernel/resource/stored-policy.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { type Unit, under } from '../../store/store.ts'
import {
  changedMeanwhile,
  duplicate,
  invalidParameter,
  invalidTags,
  limitExceeded,
  nonexistent,
  wafv2,
} from './faults.ts'

/** The part of an ARN that says the scope. */
export type ScopeName = 'regional' | 'global'

type EntityId = { readonly Scope: string; readonly Name: string; readonly Id: string }

/** What all rows have in common. */
export interface EntityRow extends Row {
  readonly name: string
  readonly id: string
  readonly scope: ScopeName
  readonly account: string
  readonly region: string
  readonly partition: string
  readonly description?: string | undefined
  /** A new one with each change: an update names the one that it has read. */
  readonly lockToken: string
  readonly createdAt: number
}

export interface IpSetRow extends EntityRow {
  readonly version: IPAddressVersion
  /** In CIDR notation, as AWS WAF shows them. */
  readonly addresses: readonly string[]
}

export interface RegexPatternSetRow extends EntityRow {
  readonly patterns: readonly string[]
}

interface RulesRow extends EntityRow {
  readonly rules: readonly Json<Rule>[]
  readonly visibility: VisibilityConfig
  readonly customResponseBodies?: Readonly<Record<string, CustomResponseBody>> | undefined
}

export interface RuleGroupRow extends RulesRow {
  /** Never changes. */
  readonly capacity: number
  /** Which accounts may use it: set by `PutPermissionPolicy`. */
  readonly policy?: StoredPolicy | undefined
}

export interface WebAclRow extends RulesRow {
  /** What the rules use. */
  readonly capacity: number
  readonly defaultAction: DefaultAction
  readonly captchaConfig?: CaptchaConfig | undefined
  readonly challengeConfig?: ChallengeConfig | undefined
  readonly tokenDomains?: readonly string[] | undefined
  readonly associationConfig?: AssociationConfig | undefined
  readonly dataProtectionConfig?: DataProtectionConfig | undefined
  readonly applicationConfig?: ApplicationConfig | undefined
  /** Of Firewall Manager, before and behind the rules. */
  readonly preProcess?: readonly Json<FirewallManagerRuleGroup>[] | undefined
  readonly postProcess?: readonly Json<FirewallManagerRuleGroup>[] | undefined
}

export interface ManagedRuleSetVersionRow {
  readonly ruleGroupArn: string
  readonly capacity: number
  readonly forecastedDays?: number | undefined
  readonly publishedAt: number
  readonly updatedAt: number
  readonly expiresAt?: number | undefined
}

export interface ManagedRuleSetRow extends EntityRow {
  readonly versions: Readonly<Record<string, ManagedRuleSetVersionRow>>
  readonly recommended?: string | undefined
}

const tags = {
  action: 'wafv2:TagResource',
  member: 'Tags',
  problems: {
    duplicate: () => invalidTags('Duplicate tag keys found.'),
    reserved: () => invalidTags('Tag keys that begin with aws: are reserved.'),
    'too-many': () => invalidTags(`A resource can have at most ${TAGS_MAX} tags.`),
  },
} satisfies TagRules

const faults = {
  notFound: nonexistent,
  alreadyExists: duplicate,
  invalidReference: (text: string) =>
    invalidParameter(
      'RESOURCE_ARN',
      text,
      "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes.",
    ),
}

const patterns = { Scope: 'regional|global', Name: '[\\w-]+', Id: '[0-9a-f-]+' } as const
const idOf = (row: EntityRow): EntityId => ({ Scope: row.scope, Name: row.name, Id: row.id })

export const webAcl = wafv2.resource({
  kind: 'web-acl', // begins the keys of the rows: never change it
  type: 'AWS::WAFv2::WebACL',
  arn: 'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/webacl/${Name}/${Id}',
  patterns,
  storedPer: 'region',
  idOf: idOf as (row: WebAclRow) => EntityId,
  tags,
  faults,
})

export const ruleGroup = wafv2.resource({
  kind: 'rule-group', // begins the keys of the rows: never change it
  type: 'AWS::WAFv2::RuleGroup',
  arn: 'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/rulegroup/${Name}/${Id}',
  patterns,
  storedPer: 'region',
  idOf: idOf as (row: RuleGroupRow) => EntityId,
  crossAccount: true,
  policy: (row) => row.policy,
  policySource: () => ({ id: 'rule-group' }),
  tags,
  faults,
})

export const ipSet = wafv2.resource({
  kind: 'ip-set', // begins the keys of the rows: never change it
  type: 'AWS::WAFv2::IPSet',
  arn: 'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/ipset/${Name}/${Id}',
  patterns,
  storedPer: 'region',
  idOf: idOf as (row: IpSetRow) => EntityId,
  tags,
  faults,
})

export const regexPatternSet = wafv2.resource({
  kind: 'regex-pattern-set', // begins the keys of the rows: never change it
  type: 'AWS::WAFv2::RegexPatternSet',
  arn: 'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/regexpatternset/${Name}/${Id}',
  patterns,
  storedPer: 'region',
  idOf: idOf as (row: RegexPatternSetRow) => EntityId,
  tags,
  faults,
})

export const managedRuleSet = wafv2.resource({
  kind: 'managed-rule-set', // begins the keys of the rows: never change it
  type: 'AWS::WAFv2::ManagedRuleSet',
  arn: 'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/managedruleset/${Name}/${Id}',
  patterns,
  storedPer: 'region',
  idOf: idOf as (row: ManagedRuleSetRow) => EntityId,
  faults,
})

// biome-ignore lint/suspicious/noExplicitAny: the types differ in their rows alone.
export type EntityType<R extends EntityRow> = ResourceType<any, R, EntityId>

/** The Region of what CloudFront uses. */
const GLOBAL_REGION = 'us-east-1'

/** Throws for a scope that this Region does not have. */
export function scopeName({ region }: Pick<Scope, 'region'>, scope: WafScope): ScopeName {
  if (scope === 'REGIONAL') return 'regional'
  if (region !== GLOBAL_REGION) throw invalidParameter('SCOPE_VALUE', scope, 'The scope is not valid.')
  return 'global'
}

interface EntityInput {
  readonly Name?: string | undefined
  readonly Id?: string | undefined
  readonly Scope?: WafScope | undefined
}

/** What name, ID and scope of a request name; undefined where one is missing. */
function entityReference(call: Call, { Name, Id, Scope }: EntityInput): Reference<EntityId> | undefined {
  if (Name === undefined || Id === undefined || Scope === undefined) return undefined
  return { scope: call, id: { Scope: scopeName(call, Scope), Name, Id } }
}

/** The resource that a request names by `Name`, `Id` and `Scope`. */
export const entity = <R extends EntityRow>(type: EntityType<R>): Target<EntityInput, ExistingResource<EntityId, R>> =>
  type.named('Id', { reference: (call, _text, input) => entityReference(call, input as EntityInput) }) as Target<
    EntityInput,
    ExistingResource<EntityId, R>
  >

/** The same, or the one that `ARN` names. */
export const entityOrArn = <R extends EntityRow>(
  type: EntityType<R>,
): Target<EntityInput & { readonly ARN?: string | undefined }, ExistingResource<EntityId, R>> => {
  const byEntity = entity(type)
  return {
    about: { type, how: 'named', member: 'ARN' },
    find: (call, input) => {
      if (input.ARN !== undefined) return type.find(call, input.ARN, input)
      if (!entityReference(call, input))
        throw invalidParameter('RESOURCE_ARN', '', 'Specify either the ARN, or the name, ID and scope of the resource.')
      return byEntity.find(call, input)
    },
  }
}

export const newEntity = <R extends EntityRow>(type: EntityType<R>) =>
  type.created((input: { readonly Name: string; readonly Scope: WafScope }, call) => ({
    Scope: scopeName(call, input.Scope),
    Name: input.Name,
    Id: call.newId(),
  }))

interface Identified {
  readonly id: EntityId
  readonly arn: string
}

/** Throws for a name that is taken, and beyond the quota. */
export async function assertRoom<R extends EntityRow>(
  call: Call,
  type: EntityType<R>,
  { id }: Identified,
  quota: string,
): Promise<void> {
  const rows = (await type.list(call.unit, call)).filter(({ document }) => document.scope === id.Scope)
  if (rows.some(({ document }) => document.name === id.Name)) throw duplicate()
  if (rows.length >= (call.quotas[`wafv2/${quota}`] ?? Number.POSITIVE_INFINITY)) throw limitExceeded(quota)
}

/** What every new row begins with. */
export const newRow = (call: Call, { id }: Identified, description: string | undefined): EntityRow => ({
  name: id.Name,
  id: id.Id,
  scope: id.Scope as ScopeName,
  account: call.account,
  region: call.region,
  partition: call.partition,
  description,
  lockToken: call.newId(),
  createdAt: call.now,
})

/** Throws where the token is not the one of the last change. */
export function assertUnchanged(row: EntityRow, lockToken: string): void {
  if (row.lockToken !== lockToken) throw changedMeanwhile()
}

export const summaryOf = (row: EntityRow, arn: string) => ({
  Name: row.name,
  Id: row.id,
  ...(row.description !== undefined && { Description: row.description }),
  LockToken: row.lockToken,
  ARN: arn,
})

/** Which rule groups and web ACLs refer to a resource: it cannot be deleted meanwhile. */
const referencesTo = (arn: string) => under('wafv2', 'referenced-by', arn)

export async function isReferenced(unit: Pick<Unit, 'range'>, arn: string): Promise<boolean> {
  return (await unit.range(referencesTo(arn), { limit: 1 })).length > 0
}

export { referencesTo }

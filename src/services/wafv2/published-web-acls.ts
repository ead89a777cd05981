/** Web ACLs as planes get them, and what planes send up about the requests that they inspected. */

import { createHash } from 'node:crypto'
import type { FirewallManagerRuleGroup, Rule } from '@aws-sdk/client-wafv2'
import type { Json } from '../../engines/waf/json.ts'
import type { WafLogRecord } from '../../engines/waf/log-record.ts'
import type { PublishedRuleGroup, PublishedWebAcl } from '../../engines/waf/published.ts'
import type { WebAclRecord } from '../../engines/waf/traffic-recorder.ts'
import { touchesAccount } from '../../kernel/planes/plane-scope.ts'
import type { WebAclsPort } from '../../kernel/ports/web-acls.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type AssociationRow, associationKey } from './association-rows.ts'
import { queueLogs } from './log-delivery.ts'
import { type LoggingRow, loggingKey } from './logging-rows.ts'
import { keepRateKeys } from './rate-keys.ts'
import {
  type EntityRow,
  type EntityType,
  ipSet,
  regexPatternSet,
  ruleGroup,
  type WebAclRow,
  webAcl,
} from './resources.ts'
import { ipSetsIn, regexPatternSetsIn, ruleGroupsIn } from './rule-contents.ts'
import { groupNamespace } from './rule-groups.ts'
import { keepSamples } from './sampled-requests.ts'
import { aclNamespace } from './web-acls.ts'

async function rowByArn<R extends EntityRow>(
  reader: Pick<Reader, 'get'>,
  type: EntityType<R>,
  arn: string,
): Promise<R | undefined> {
  const { account, region, variables } = type.form.parse(arn) ?? {}
  if (account === undefined || region === undefined || variables === undefined) return undefined
  return type.get(reader, { account, region }, variables as unknown as { Scope: string; Name: string; Id: string })
}

async function byArn<R extends EntityRow, T>(
  reader: Pick<Reader, 'get'>,
  type: EntityType<R>,
  arns: readonly string[],
  read: (row: R) => T,
): Promise<Readonly<Record<string, T>>> {
  const found: Record<string, T> = {}
  for (const arn of arns) {
    const row = await rowByArn(reader, type, arn)
    if (row) found[arn] = read(row)
  }
  return found
}

/** Firewall Manager's groups as rules. */
const groupRules = (groups: readonly Json<FirewallManagerRuleGroup>[] = []): readonly Json<Rule>[] =>
  groups.map(({ FirewallManagerStatement, ...group }) => ({ ...group, Statement: FirewallManagerStatement }))

const byPriority = <T extends { readonly Priority?: number | undefined }>(rules: readonly T[]): readonly T[] =>
  [...rules].sort((a, b) => Number(a.Priority) - Number(b.Priority))

async function published(reader: Reader, row: WebAclRow): Promise<PublishedWebAcl> {
  const arn = webAcl.arnOf(row, row)
  const rules = [
    ...byPriority(groupRules(row.preProcess)),
    ...byPriority(row.rules),
    ...byPriority(groupRules(row.postProcess)),
  ].map((rule, Priority) => ({ ...rule, Priority }))
  const ruleGroups = await byArn(
    reader,
    ruleGroup,
    ruleGroupsIn(rules),
    (group): PublishedRuleGroup => ({
      labelNamespace: groupNamespace(group),
      rules: group.rules,
      ...(group.customResponseBodies && { customResponseBodies: group.customResponseBodies }),
    }),
  )
  const all = [...rules, ...Object.values(ruleGroups).flatMap((group) => group.rules)]
  const logging = await reader.get<LoggingRow>(loggingKey(arn))
  const content: Omit<PublishedWebAcl, 'revision'> = {
    arn,
    name: row.name,
    accountId: row.account,
    region: row.region,
    labelNamespace: aclNamespace(row),
    visibility: row.visibility,
    defaultAction: row.defaultAction as PublishedWebAcl['defaultAction'],
    rules,
    customResponseBodies: row.customResponseBodies,
    captchaConfig: row.captchaConfig,
    challengeConfig: row.challengeConfig,
    tokenDomains: row.tokenDomains ?? [],
    associationConfig: row.associationConfig,
    ruleGroups,
    ipSets: await byArn(reader, ipSet, ipSetsIn(all), ({ addresses }) => addresses),
    regexPatternSets: await byArn(reader, regexPatternSet, regexPatternSetsIn(all), ({ patterns }) => patterns),
    logging: logging && { redactedFields: logging.redactedFields ?? [], filter: logging.filter },
    dataProtection: (row.dataProtectionConfig?.DataProtections ?? []) as PublishedWebAcl['dataProtection'],
  }
  return { ...content, revision: createHash('sha256').update(JSON.stringify(content)).digest('hex') }
}

/** Where an association outlives its web ACL, requests are not filtered: nothing is associated. */
async function publishedFor(reader: Reader, resourceArn: string): Promise<PublishedWebAcl | undefined> {
  const association = await reader.get<AssociationRow>(associationKey(resourceArn))
  const row = association && (await rowByArn(reader, webAcl, association.webAcl))
  return row && published(reader, row)
}

const KINDS: readonly string[] = ['waf-log', 'waf-samples', 'waf-rate-keys'] satisfies readonly WebAclRecord['kind'][]

const isOurs = (record: object): record is WebAclRecord => KINDS.includes((record as Partial<WebAclRecord>).kind ?? '')

export const webAclsPort: WebAclsPort = {
  publishedFor,
  receive: async (unit, { records, node, scope, now }) => {
    // What a gateway reports of accounts that it does not serve is dropped.
    const ours = records.filter(isOurs).filter(({ webAcl: arn }) => touchesAccount(scope, parseArn(arn)?.account ?? ''))
    for (const arn of new Set(ours.map((record) => record.webAcl))) {
      const row = await rowByArn(unit, webAcl, arn)
      // It was deleted meanwhile.
      if (!row) continue
      const logs: WafLogRecord[] = []
      for (const record of ours) {
        if (record.webAcl !== arn) continue
        if (record.kind === 'waf-log') logs.push(record.log)
        else if (record.kind === 'waf-samples') await keepSamples(unit, arn, record, row.account)
        else keepRateKeys(unit, arn, record, node)
      }
      await queueLogs(unit, arn, logs, now)
    }
  },
}
